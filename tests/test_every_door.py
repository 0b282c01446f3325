"""Every route of the application, walked by strangers, by members and with nonsense."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.admin.router import router as admin
from app.core.settings import Settings
from app.main import create_app
from tests.cast import HTMX, Cast, Visitor

Door = tuple[str, str]

# What somebody without an account may see or do. Whatever else is added asks who is there.
PUBLIC = {
    "/login",
    "/logout",
    "/register",
    "/setup",
    "/settings/theme",
    "/invitations/{token}",
    "/static/{name:path}",
    "/health",
    "/metrics",
    "/docs",
    "/openapi.json",
}
ENDLESS = {"/live"}
FOR_PROGRAMS = ("/api/", "/v1/", "/ollama/")
FOR_EVERY_KEY = {"/api/me", "/api/models", "/api/models/{name:path}", "/api/embeddings"}
"""Open to keys of every scope, or for that of embeddings."""
NONSENSE_IDS = (
    "nonsense",
    "%00",
    "%F0%9F%92%A9",
    "-1",
    "a" * 500,
    "..%2F..%2Fetc%2Fpasswd",
    "'%20OR%201=1--",
)
NONSENSE_BODIES = [
    pytest.param(b"", "", id="nothing"),
    pytest.param(b"\x00\xff\xfe", "application/x-www-form-urlencoded", id="bytes as a form"),
    pytest.param(b"a=1&a=2&=&&%zz=%00&name=%00&role=%ff", "application/x-www-form-urlencoded", id="odd form"),
    pytest.param(b"--x\r\nnonsense", "multipart/form-data; boundary=x", id="broken multipart"),
    pytest.param(b"nonsense", "multipart/form-data", id="multipart without a boundary"),
    pytest.param(b"{", "application/json", id="broken JSON"),
    pytest.param(b"[" * 50_000, "application/json", id="deep JSON"),
    pytest.param(b'{"name": "\\ud800", "content": "\\u0000"}', "application/json", id="unstorable JSON"),
    pytest.param(b'{"name": 1e999, "days": -99999999999999999999}', "application/json", id="odd numbers"),
    pytest.param(b"[]", "application/json", id="a list"),
    pytest.param(b"null", "application/json", id="null"),
]


def doors() -> Iterator[Door]:
    for route in iter_route_contexts(create_app(Settings(_env_file=None)).routes):
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield method, str(route.path)


DOORS = list(doors())
ASKING = [door for door in DOORS if door[1] not in PUBLIC]
ADMIN = [door for door in DOORS if door[1].startswith("/admin")]
CHANGING = [door for door in DOORS if door[0] != "GET"]


def address(path: str, with_id: str = "nonsense") -> str:
    """The route's pattern with something in place of each parameter."""
    while "{" in path:
        path = path[: path.index("{")] + with_id + path[path.index("}") + 1 :]
    return path


def test_the_walk_has_somewhere_to_go() -> None:
    assert len(ASKING) > 40
    assert len(ADMIN) > 20
    assert {path for _, path in DOORS} >= PUBLIC


def test_all_of_administration_stands_under_one_address() -> None:
    # As they stand where the log finds them: without prefixes of routers that include theirs.
    paths = [str(getattr(route.original_route, "path", "")) for route in iter_route_contexts(admin.routes)]

    assert len(paths) > 20
    assert all(path.startswith("/admin") for path in paths)


async def test_strangers_are_sent_to_log_in(client: Visitor, cast: Cast) -> None:
    for method, path in ASKING:
        response = await client.request(method, address(path))

        if path.startswith(FOR_PROGRAMS):
            assert response.status_code == 401, (method, path)
        else:
            assert response.status_code == 303, (method, path)
            assert response.headers["location"].startswith("/login"), (method, path)


async def test_htmx_is_told_to_go_and_log_in(client: Visitor, cast: Cast) -> None:
    for method, path in ASKING:
        if not path.startswith(FOR_PROGRAMS):
            response = await client.request(method, address(path), headers=HTMX)
            assert response.headers["hx-redirect"].startswith("/login"), (method, path)


async def test_members_meet_nothing_under_admin(cast: Cast) -> None:
    for method, path in [*ADMIN, ("GET", "/admin/no-such-page"), ("POST", "/admin/no/such/page")]:
        response = await cast.bob.client.request(method, address(path))

        assert response.status_code == 404, (method, path)


async def test_a_key_opens_only_what_its_scopes_are_for(client: Visitor, cast: Cast) -> None:
    """Whatever is added under /api asks for a scope, or is named here."""
    made = await cast.alice.client.post("/api/keys", json={"name": "Vectors", "scopes": ["embeddings"]})
    key = {"x-api-key": made.json()["secret"]}
    assert (await client.get("/api/me", headers=key)).status_code == 200

    for method, path in DOORS:
        if path.startswith("/api/") and path not in FOR_EVERY_KEY:
            response = await client.request(method, address(path), headers=key)
            assert response.status_code == 403, (method, path)


async def test_what_is_public_never_breaks(client: Visitor, cast: Cast) -> None:
    for method, path in DOORS:
        if path in PUBLIC:
            assert (await client.request(method, address(path))).status_code < 500, (method, path)


@pytest.mark.parametrize("nonsense", NONSENSE_IDS)
async def test_nonsense_in_addresses_never_breaks(app: FastAPI, cast: Cast, nonsense: str) -> None:
    for method, path in DOORS:
        if "{" not in path:
            continue
        for person in (cast.alice, cast.bob):
            response = await person.client.request(method, address(path, nonsense))
            assert response.status_code < 500, (method, path, person.username)


@pytest.mark.parametrize(("body", "kind"), NONSENSE_BODIES)
async def test_nonsense_in_bodies_never_breaks(cast: Cast, body: bytes, kind: str) -> None:
    headers = {"content-type": kind} if kind else {}
    for method, path in CHANGING:
        if path == "/logout":
            continue
        response = await cast.alice.client.request(method, address(path), content=body, headers=headers)
        assert response.status_code < 500, (method, path)


async def test_every_answer_carries_the_security_headers(client: Visitor, cast: Cast) -> None:
    for method, path in DOORS:
        if path in ENDLESS:
            continue
        response = await client.request(method, address(path))

        assert "default-src 'none'" in response.headers["content-security-policy"], (method, path)
        assert "unsafe" not in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in response.headers


async def test_no_door_is_opened_from_another_site(cast: Cast) -> None:
    for method, path in CHANGING:
        for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
            response = await cast.alice.client.request(method, address(path), headers=headers)
            assert response.status_code == 403, (method, path, headers)


@pytest.mark.parametrize("host", ["[", "a b", "evil.example:99999", "\xe9", ""])
async def test_a_nonsense_host_never_breaks(client: Visitor, cast: Cast, host: str) -> None:
    for path in ("/", "/login", "/setup", "/admin/invitations", "/api/me", "/no/such/page"):
        response = await client.get(path, headers=httpx.Headers({"host": host.encode("latin-1")}))
        assert response.status_code < 500, (path, host)


class TestOnPostgres:
    """It refuses characters that SQLite stores."""

    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return settings.model_copy(update={"database_url": postgres_with_tables})

    async def test_nonsense_in_addresses_never_breaks(self, cast: Cast) -> None:
        for method, path in DOORS:
            if "{" in path:
                response = await cast.alice.client.request(method, address(path, "%00"))
                assert response.status_code < 500, (method, path)

    async def test_nonsense_in_bodies_never_breaks(self, cast: Cast) -> None:
        for body, kind in (parameters.values for parameters in NONSENSE_BODIES):
            for method, path in CHANGING:
                if path != "/logout":
                    headers = {"content-type": str(kind)}
                    response = await cast.alice.client.request(
                        method, address(path), content=body, headers=headers
                    )
                    assert response.status_code < 500, (method, path, body[:20])
