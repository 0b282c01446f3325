"""Styles, scripts, fonts and icons: kept for a year, small on the wire, and nothing else from the disk."""

import gzip
import re

import httpx
import pytest

from app.core.assets import asset, public_names


async def test_a_versioned_file_is_kept_for_a_year(client: httpx.AsyncClient) -> None:
    response = await client.get(asset("app.css"))

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("query", ["", "?v=0123456789ab"])
async def test_any_other_version_is_asked_for_again(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"/static/app.js{query}")
    again = await client.get(f"/static/app.js{query}", headers={"if-none-match": response.headers["etag"]})

    assert response.headers["cache-control"] == "no-cache"
    assert again.status_code == 304
    assert again.content == b""


@pytest.mark.parametrize(
    ("name", "compressed"), [("app.css", True), ("icons.svg", True), ("fonts/inter-var.woff2", False)]
)
async def test_text_travels_compressed(client: httpx.AsyncClient, name: str, compressed: bool) -> None:
    packed = await client.get(asset(name), headers={"accept-encoding": "gzip"})
    plain = await client.get(asset(name), headers={"accept-encoding": "identity"})

    assert ("content-encoding" in packed.headers) is compressed
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert "accept-encoding" in plain.headers["vary"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "css/index.css",
        "js/composer.js",
        "VENDORED.md",
        "fonts",
        "..%2fpyproject.toml",
        "fonts/..%2f..%2fREADME.md",
        "%2fetc%2fpasswd",
        "app.css%00",
    ],
)
async def test_nothing_else_is_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/static/{name}")).status_code == 404


async def test_every_file_says_what_it_is(client: httpx.AsyncClient) -> None:
    for name in sorted(public_names()):
        response = await client.get(asset(name))
        assert response.status_code == 200, name
        assert not response.headers["content-type"].startswith("text/plain"), name
        assert response.headers["x-content-type-options"] == "nosniff"


async def test_styles_and_scripts_are_joined(client: httpx.AsyncClient) -> None:
    styles = (await client.get(asset("app.css"))).text
    scripts = (await client.get(asset("app.js"))).text

    assert "@import" not in styles
    assert styles.index("@layer tokens, base") < styles.index(".message")
    assert all(address.startswith("/static/fonts/") for address in re.findall(r"url\(([^)]+)\)", styles))
    assert scripts.index("var htmx=") < scripts.index("parley:sent")


async def test_a_first_visit_stays_small(client: httpx.AsyncClient) -> None:
    files = [(await client.get(asset(name))).content for name in ("app.css", "app.js", "icons.svg")]

    assert sum(len(gzip.compress(content)) for content in files) < 60_000
