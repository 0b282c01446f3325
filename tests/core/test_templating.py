"""What every page has in common."""

import httpx

from tests.cast import Cast


async def test_pages_travel_compressed(cast: Cast) -> None:
    alice = cast.alice.client
    packed = await alice.get("/settings", headers={"accept-encoding": "gzip"})
    plain = await alice.get("/settings", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"


async def test_no_cache_keeps_a_page(cast: Cast) -> None:
    assert (await cast.alice.client.get("/")).headers["cache-control"] == "no-store"


async def test_the_theme_is_there_before_the_first_paint(client: httpx.AsyncClient, cast: Cast) -> None:
    for theme in ("light", "dark"):
        page = await client.get("/login", headers={"cookie": f"theme={theme}"})
        assert f'<html lang="en" data-theme="{theme}">' in page.text

    page = await client.get("/login", headers={"cookie": 'theme="><script>'})
    assert '<html lang="en">' in page.text


async def test_times_are_on_the_readers_clock(cast: Cast) -> None:
    alice = cast.alice.client
    in_tokyo = await alice.get("/admin/audit", headers={"cookie": _with(cast, "timezone=Asia/Tokyo")})
    nowhere = await alice.get("/settings", headers={"cookie": _with(cast, "timezone=../../etc/passwd")})

    assert "Asia/Tokyo" in in_tokyo.text
    assert nowhere.status_code == 200


def _with(cast: Cast, cookie: str) -> str:
    kept = "; ".join(f"{name}={value}" for name, value in cast.alice.client.cookies.items())
    return f"{kept}; {cookie}"
