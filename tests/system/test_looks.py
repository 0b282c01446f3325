"""Every page in both themes, on a desk and on a phone: photographed, and examined by axe.

The pictures go to tests/artifacts; they are there to be looked at.
"""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.cast import Cast
from tests.chats.waiting import finished_replies
from tests.system.conftest import OpenPage

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

PAGES = {
    "start": "/",
    "settings": "/settings",
    "tools": "/settings/tools",
    "users": "/admin/users",
    "invitations": "/admin/invitations",
    "connections": "/admin/connections",
    "new-connection": "/admin/connections/new",
    "models": "/admin/models",
    "audit": "/admin/audit",
    "workspace": "/admin/settings",
    "setup-provider": "/setup/provider",
    "setup-models": "/setup/models",
    "docs": "/docs",
    "not-found": "/nowhere",
}
MARKDOWN = """Here is **all** of it, with `code` and a [link](https://example.org).

| Question | SQLite | Postgres |
|---|---|---|
| Drop a month | hours | `DROP TABLE` |

1. Partition by month
2. Use a *BRIN* index

- [x] done
- [ ] not yet
  - [ ] a part of it

> Said by somebody.

```python
def greet(name: str = "Tromsø") -> str:
    return f"Hello, {name}"  # 42
```
"""


@pytest.fixture(params=["dark", "light"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["desk", "phone"])
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def look(theme: str, device: str) -> dict[str, Any]:
    """How a browser looks at the pages of this test."""
    size = DESK if device == "desk" else PHONE
    return {**size, "color_scheme": theme, "reduced_motion": "reduce"}


async def test_every_page_is_accessible(
    cast: Cast, echo: str, open_page: OpenPage, look: dict[str, Any], theme: str, device: str
) -> None:
    page = await open_page("/", cast.alice, **look)
    findings = []
    for name, path in PAGES.items():
        await page.goto(path)
        findings += await examine(page, f"{name}-{device}-{theme}")

    assert findings == []


async def test_a_conversation_is_accessible(
    cast: Cast, echo: str, open_page: OpenPage, look: dict[str, Any], theme: str, device: str
) -> None:
    started = await cast.alice.client.post("/chats", data={"body": MARKDOWN, "model": echo})
    path = started.headers["location"]
    await finished_replies(cast.alice, path)
    page = await open_page(path, cast.alice, **look)

    findings = await examine(page, f"chat-{device}-{theme}")
    for button, name in ((".message__facts", "details"), ("[data-picker-button]", "picker")):
        await page.locator(button).last.click()
        findings += await examine(page, f"{name}-{device}-{theme}")
        await page.keyboard.press("Escape")
    await page.goto(f"{path}/instructions")
    findings += await examine(page, f"instructions-{device}-{theme}")

    assert findings == []


async def test_the_doors_are_accessible(
    open_page: OpenPage, look: dict[str, Any], theme: str, device: str
) -> None:
    page = await open_page("/setup", **look)

    assert await examine(page, f"setup-{device}-{theme}") == []


async def test_signing_in_is_accessible(
    cast: Cast, open_page: OpenPage, look: dict[str, Any], theme: str, device: str
) -> None:
    page = await open_page("/login", **look)

    assert await examine(page, f"login-{device}-{theme}") == []


async def test_a_first_visit_is_small(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page("/login", cast.alice)
    sizes: list[int] = []

    async def weigh(request: Any) -> None:
        size = await request.sizes()
        sizes.append(size["responseHeadersSize"] + size["responseBodySize"])

    page.on("requestfinished", weigh)
    await page.goto("/")
    await page.wait_for_timeout(500)

    assert 0 < len(sizes) <= 12
    assert sum(sizes) < 200_000


async def examine(page: Page, name: str) -> list[str]:
    """Take its picture, measure its width, then ask axe: what it finds, with the elements it is about."""
    await page.evaluate("document.fonts.ready.then(() => true)")
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=ARTIFACTS / f"{name}.png")
    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    results = await Axe().run(
        page, options={"runOnly": {"type": "tag", "values": STANDARDS}, "resultTypes": ["violations"]}
    )
    return [f"{name}: has to be scrolled sideways"] * wide + [
        f"{name}: {finding['id']}: {node['html'][:160]}"
        for finding in results.response["violations"]
        for node in finding["nodes"]
    ]
