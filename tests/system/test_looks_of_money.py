"""Every page about money with a year of made-up use, in both themes, on a desk and on a phone.

Photographed and examined as in `test_looks`; on a phone no table may be wider than its card, unless somebody
opened the chart as a table.
"""

from typing import Any

import pytest
from fastapi import FastAPI
from playwright.async_api import Page

from app.accounts import workspace
from app.accounts.house import House
from app.accounts.models import UserRole
from app.commands import seeding
from tests.cast import Person, signed_in
from tests.system.conftest import OpenPage
from tests.system.looking import device, examine_in_both_themes, look  # noqa: F401  (fixtures)

CUT = """() => [...document.querySelectorAll(".table__scroll")]
  .filter((table) => !table.closest("details:not([open])") && table.scrollWidth > table.clientWidth + 1)
  .map((table) => table.getAttribute("aria-label"))"""

PAGES = {
    "usage": "/admin/usage",
    "usage-year": "/admin/usage?period=year&show=tokens",
    "usage-plan": "/admin/usage?plan=month",
    "own-usage": "/usage",
    "own-budget": "/usage/budget",
    "budgets": "/admin/budgets",
    "prices": "/admin/prices",
    "groups": "/admin/groups",
    "models-priced": "/admin/models",
    "users-many": "/admin/users",
    "audit-of-money": "/admin/audit",
}
LINKED = {
    "conversation-usage": ("/admin/usage", "/admin/usage/conversations/"),
    "budget": ("/admin/budgets", "/admin/budgets/"),
    "price": ("/admin/prices", "/admin/prices/"),
    "group": ("/admin/groups", "/admin/groups/"),
}
"""Pages of one thing: on which page a link to them is, and how it begins."""


@pytest.fixture
async def zoe(app: FastAPI) -> Person:
    """An administrator of a workspace with a year behind it, limits, and another currency."""
    state = app.state
    house = House(state.database, state.hub, state.settings, state.secrets.signing_key)
    await seeding.seed(house, people=24, requests=6_000, password="a harbour of quiet lamps")
    state.workspace = await workspace.load(state.database)
    return await signed_in(app, "zoe", "Zoe Winter", UserRole.ADMINISTRATOR)


async def test_every_page_about_money_is_accessible_and_whole(
    zoe: Person,
    open_page: OpenPage,
    look: dict[str, Any],  # noqa: F811  (a fixture's way to be asked for)
    device: str,  # noqa: F811
) -> None:
    page = await open_page("/usage", zoe, **look)
    findings = []
    for name, path in [*PAGES.items(), *[(name, await linked(page, name)) for name in LINKED]]:
        await page.goto(path)
        findings += await examine_in_both_themes(page, f"{name}-{device}")
        findings += [f"{name}-{device}: {table} is cut" for table in await page.evaluate(CUT)]

    assert not findings, "\n".join(findings)


async def test_a_statement_has_the_whole_paper(zoe: Person, open_page: OpenPage) -> None:
    page = await open_page("/usage", zoe, viewport={"width": 1024, "height": 1000})
    await page.goto(
        "/usage/groups" + (await linked(page, "group")).removeprefix("/admin/groups") + "/statement"
    )

    await page.emulate_media(media="print")

    width = await page.get_by_role("table").first.evaluate("(table) => table.getBoundingClientRect().width")
    assert width > 700
    assert await page.evaluate(CUT) == []


async def linked(page: Page, name: str) -> str:
    """The address of the first thing of this sort."""
    listed_on, beginning = LINKED[name]
    await page.goto(listed_on)
    address = await page.locator(f"main a[href^='{beginning}']").first.get_attribute("href")
    assert address is not None
    return address
