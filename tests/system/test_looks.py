"""Every page in both themes, on a desk and on a phone: photographed, and examined by axe.

The pictures go to tests/artifacts; they are there to be looked at.
"""

from typing import Any

from tests.cast import Cast
from tests.chats.waiting import finished_replies
from tests.system.conftest import OpenPage
from tests.system.looking import device, examine_in_both_themes, look  # noqa: F401  (fixtures)

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


async def test_every_page_is_accessible(
    cast: Cast,
    echo: str,
    open_page: OpenPage,
    look: dict[str, Any],  # noqa: F811
    device: str,  # noqa: F811
) -> None:
    page = await open_page("/", cast.alice, **look)
    findings = []
    for name, path in PAGES.items():
        await page.goto(path)
        findings += await examine_in_both_themes(page, f"{name}-{device}")

    assert findings == []


async def test_a_conversation_is_accessible(
    cast: Cast,
    echo: str,
    open_page: OpenPage,
    look: dict[str, Any],  # noqa: F811
    device: str,  # noqa: F811
) -> None:
    started = await cast.alice.client.post("/chats", data={"body": MARKDOWN, "model": echo})
    path = started.headers["location"]
    await finished_replies(cast.alice, path)
    page = await open_page(path, cast.alice, **look)

    findings = await examine_in_both_themes(page, f"chat-{device}")
    for button, name in ((".message__facts", "details"), ("[data-picker-button]", "picker")):
        await page.locator(button).last.click()
        findings += await examine_in_both_themes(page, f"{name}-{device}")
        await page.keyboard.press("Escape")
    await page.goto(f"{path}/instructions")
    findings += await examine_in_both_themes(page, f"instructions-{device}")

    assert findings == []


async def test_the_doors_are_accessible(
    open_page: OpenPage,
    look: dict[str, Any],  # noqa: F811
    device: str,  # noqa: F811
) -> None:
    page = await open_page("/setup", **look)

    assert await examine_in_both_themes(page, f"setup-{device}") == []


async def test_signing_in_is_accessible(
    cast: Cast,
    open_page: OpenPage,
    look: dict[str, Any],  # noqa: F811
    device: str,  # noqa: F811
) -> None:
    page = await open_page("/login", **look)

    assert await examine_in_both_themes(page, f"login-{device}") == []


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
