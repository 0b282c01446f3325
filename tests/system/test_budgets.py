"""To the soft limit, to the hard limit, and on: what a person sees of a budget, and who lets them go on."""

import re

import pytest
from playwright.async_api import Page, expect

from app.accounts.audit import COMMAND_LINE, Act
from app.core.clock import now
from app.core.database import Database
from app.usage import prices
from app.usage.pricing import MILLION, Rates
from tests.cast import Cast
from tests.system.composing import choose, say
from tests.system.conftest import OpenPage

CENT = MILLION // 100


@pytest.fixture
async def priced(database: Database, echo: str) -> str:
    """Each word that the fast Echo writes costs a cent; the others stay free. Returns its name."""
    connection, _, model = echo.partition("/")
    rates = Rates(input=0, output=CENT * MILLION)
    async with database.writing() as session:
        await prices.set_price(session, connection, model, rates, now(), Act(COMMAND_LINE))
    return echo


async def limit_bob(page: Page) -> None:
    """Ten dollars a month, set under Budgets."""
    await page.get_by_label("For", exact=True).select_option("A person")
    await page.get_by_label("Name", exact=True).fill("bob")
    await page.get_by_label("Limit", exact=True).fill("10")
    await page.get_by_role("button", name="Set limit").click()
    await expect(page.get_by_role("status")).to_contain_text("holds from the next call on")


async def test_a_person_is_warned_stopped_and_goes_on_once_the_limit_is_raised(
    cast: Cast, priced: str, open_page: OpenPage
) -> None:
    office = await open_page("/admin/budgets", cast.alice)
    await limit_bob(office)
    desk = await open_page("/", cast.bob)
    await choose(desk, priced)
    replies, warning = desk.locator(".message--reply"), desk.locator("#budget-warning")

    await say(desk, "/long 820 Well")
    await desk.wait_for_url(re.compile("/chats/"))
    await expect(desk.locator("#chat-cost")).to_contain_text("$8.21")
    await expect(warning).to_contain_text("82 % of your budget ($10.00 a month) is used")
    await expect(warning).to_contain_text("it starts again on")
    other_tab = await desk.context.new_page()
    await other_tab.goto("/")

    await say(desk, "And then?")
    refusal = replies.last
    await expect(refusal).to_contain_text("Your monthly budget of $10.00 has $1.79 left")
    await expect(refusal).to_contain_text(
        re.compile(r"It starts again on \w+day, 1 \w+ \d{4}, 00:00 \(UTC\)")
    )
    await expect(refusal).to_contain_text("An administrator can raise it under Administration → Budgets.")
    await expect(refusal).to_contain_text("You can go on with Echo or Echo, slow.")

    await office.reload()
    await expect(office.get_by_role("row", name="Bob Archer")).to_contain_text("82 %")
    await office.get_by_role("row", name="Bob Archer").get_by_role("link", name="Change").click()
    await office.get_by_role("textbox", name="Limit").fill("50")
    await office.get_by_role("button", name="Save limit").click()
    await expect(office.get_by_role("row", name="Bob Archer")).to_contain_text("$50.00 a month")

    # At once, in whichever tab, without a reload.
    await refusal.get_by_role("button", name="Retry").click()
    await expect(replies.last).to_contain_text("And then?")
    await expect(warning).to_have_text("")
    await say(other_tab, "A new thought")
    await expect(other_tab.locator(".message--reply").last).to_contain_text("A new thought")
    await expect(desk.locator(".message--live")).to_have_count(0)


async def test_a_cap_of_ones_own_is_set_and_taken_away_where_one_sees_what_is_used(
    cast: Cast, priced: str, open_page: OpenPage
) -> None:
    page = await open_page("/usage", cast.bob)
    await page.get_by_role("link", name="Your budget").click()
    await page.get_by_label("At most each month").fill("2")
    await page.get_by_role("button", name="Save cap").click()
    await expect(page.get_by_role("row", name="Your own cap")).to_contain_text("$2.00 a month")

    chat = await page.context.new_page()
    await chat.goto("/")
    await choose(chat, priced)
    await say(chat, "Hello")
    refusal = chat.locator(".message--reply").last
    await expect(refusal).to_contain_text("Your own cap of $2.00 a month has $2.00 left")
    await expect(refusal).to_contain_text("You can change it under Usage.")

    await page.get_by_role("button", name="Remove cap").click()
    await expect(page.get_by_text("Nothing limits you in particular.")).to_be_visible()
    await refusal.get_by_role("button", name="Retry").click()
    await expect(chat.locator(".message--reply").last).to_contain_text("Hello")
