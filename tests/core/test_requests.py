"""What every request passes through: the origin check, the size limit, the id."""

import re
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app.core.requests import local_path
from app.core.settings import Settings
from tests.cast import HTMX, Cast, Visitor
from tests.conftest import LiveServer

OWN = "http://parley.test"


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, True),
        ({"origin": OWN}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": OWN}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://parley.test.evil.example"}, False),
        ({"origin": "http://parley.test:8080"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "http://["}, False),
    ],
)
@pytest.mark.parametrize("path", ["/settings/profile", "/api/keys"])
async def test_only_our_own_pages_may_change_things(
    cast: Cast, headers: dict[str, str], passes: bool, path: str
) -> None:
    if path.startswith("/api/"):
        response = await cast.bob.client.post(path, headers=headers, json={"name": "Script"})
    else:
        profile = {"name": "Bob", "timezone": "UTC"}
        response = await cast.bob.client.post(path, headers=headers, data=profile)

    assert (response.status_code in (201, 303)) is passes
    if not passes:
        assert response.status_code == 403
        assert "came from another site" in response.text


async def test_looking_from_another_site_is_no_harm(cast: Cast) -> None:
    response = await cast.bob.client.get("/settings", headers={"sec-fetch-site": "cross-site"})

    assert response.status_code == 200


async def test_logging_in_from_another_site_is_refused(client: Visitor, cast: Cast) -> None:
    response = await client.post("/login", headers={"sec-fetch-site": "cross-site"}, data={"login": "bob"})

    assert response.status_code == 403


class TestBehindAProxy:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"public_url": "https://chat.example.org"})

    async def test_the_public_address_is_our_own(self, cast: Cast) -> None:
        profile = {"name": "Bob", "timezone": "UTC"}
        ours = await cast.bob.client.post(
            "/settings/profile", headers={"origin": "https://chat.example.org"}, data=profile
        )
        other = await cast.bob.client.post(
            "/settings/profile", headers={"origin": "https://example.org"}, data=profile
        )

        assert (ours.status_code, other.status_code) == (303, 403)


class TestSmallRequestsOnly:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"max_request_bytes": 2_000})

    async def test_an_announced_body_is_refused_unread(self, cast: Cast) -> None:
        page = await cast.bob.client.post("/settings/profile", content=b"x" * 2_001)
        api = await cast.bob.client.post("/api/keys", content=b"x" * 2_001)

        assert page.status_code == api.status_code == 413
        assert "at most 0.002 MB" in page.text
        assert api.json()["error"]["code"] == "too_large"

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/settings/profile", "application/x-www-form-urlencoded"),
            ("/login", "application/x-www-form-urlencoded"),
            ("/api/keys", "application/json"),
        ],
    )
    async def test_a_body_without_a_length_is_counted(self, cast: Cast, path: str, kind: str) -> None:
        response = await cast.bob.client.post(path, content=endless(), headers={"content-type": kind})

        assert response.status_code == 413
        assert "at most 0.002 MB" in response.text
        assert "content-security-policy" in response.headers

    async def test_what_fits_passes(self, cast: Cast) -> None:
        async def small() -> AsyncIterator[bytes]:
            yield b'{"name": '
            yield b'"Script"}'

        headers = {"content-type": "application/json"}
        response = await cast.bob.client.post("/api/keys", content=small(), headers=headers)

        assert response.status_code == 201


async def endless() -> AsyncIterator[bytes]:
    yield b"name="
    for _ in range(10_000):
        yield b"x" * 1_000


def test_a_real_server_answers_too_large_bodies_cleanly(start_server) -> None:
    server: LiveServer = start_server(MAX_REQUEST_BYTES="2000")

    def chunks():
        yield from (b"x" * 1_000 for _ in range(50))

    with httpx.Client(base_url=server.url) as client:
        announced = client.post("/login", content=b"x" * 100_000)
        chunked = client.post(
            "/login", content=chunks(), headers={"content-type": "application/x-www-form-urlencoded"}
        )
        after = client.get("/login")

    assert (announced.status_code, chunked.status_code) == (413, 413)
    assert "at most 0.002 MB" in chunked.text
    assert after.status_code in (200, 303)
    assert raw(server, b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.1 400")


def raw(server: LiveServer, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), 5) as connection:
        connection.sendall(request)
        return connection.recv(1_000)


async def test_requests_have_ids(client: Visitor) -> None:
    given = await client.get("/login", headers={"x-request-id": "proxy-7"})
    forged = await client.get("/login", headers={"x-request-id": "x" * 65})

    assert given.headers["x-request-id"] == "proxy-7"
    assert re.fullmatch(r"[0-9a-z]{16}", forged.headers["x-request-id"])


@pytest.mark.parametrize("address", ["/", "/chats/7?a=b#c", "/a//b", "/é"])
def test_places_here(address: str) -> None:
    assert local_path(address) == address


@pytest.mark.parametrize(
    "address", ["", "chats", "//x", "/\\x", "\\\\x", "https://x", "/a\nb", "/\t/x", "javascript:x", " /x"]
)
def test_places_elsewhere(address: str) -> None:
    assert local_path(address) is None


async def test_errors_speak_the_callers_language(app: FastAPI, cast: Cast) -> None:
    page = await cast.bob.client.get("/no/such/page")
    fragment = await cast.bob.client.get("/no/such/page", headers=HTMX)
    program = await cast.bob.client.get("/api/no/such/thing")

    assert page.status_code == fragment.status_code == program.status_code == 404
    assert "<html" in page.text
    assert "<html" not in fragment.text
    assert program.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/api/me", "/api/chats", "/api/chats/nonsense", "/settings/nonsense"])
async def test_no_cache_keeps_what_a_person_got(cast: Cast, path: str) -> None:
    assert (await cast.alice.client.get(path)).headers["cache-control"] == "no-store"
