"""Money where the work is: before sending when it is much, and above the conversation as it grows."""

import re

import pytest
from playwright.async_api import expect

from app.accounts.audit import Act
from app.core.clock import now
from app.core.database import Database
from app.usage import prices
from app.usage.pricing import MILLION, Rates
from tests.cast import Cast
from tests.system.composing import choose
from tests.system.conftest import OpenPage
from tests.system.test_attaching import file

CENT = MILLION // 100


@pytest.fixture
async def priced(database: Database, echo: str) -> None:
    """A word costs a cent, to read and to write."""
    rates = Rates(CENT * MILLION, CENT * MILLION)
    async with database.writing() as session:
        await prices.set_price(session, "echo", "echo-fast", rates, now(), Act("command line"))


async def test_what_is_dear_is_told_before_it_is_sent_and_added_up_after(
    cast: Cast, priced: None, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    box, about = page.get_by_label("Message", exact=True), page.locator("[data-composer-cost]")
    await choose(page, "echo-fast")

    await box.fill("Four words, or so.")
    # 18 bytes are about 5 tokens of a cent each: more than a few cents.
    await expect(about).to_have_text("about $0.05")
    await box.fill("Hi")
    await expect(about).to_be_hidden()
    await box.press("Enter")

    await page.wait_for_url(re.compile("/chats/"))
    total = page.locator("#chat-cost button")
    await expect(total).to_have_text("$0.0200")
    await box.fill("Hello again, my friend")
    await box.press("Enter")
    # It read "Hi", "Hi" and four words, and wrote four: without a reload the ten are added to the two.
    await expect(total).to_have_text("$0.1200")
    await total.click()
    await expect(page.locator("#chat-cost-panel")).to_contain_text("Echo, fast")


async def test_images_are_part_of_what_sending_would_cost(
    cast: Cast, priced: None, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    await choose(page, "echo-fast")

    await page.locator("[data-images]").set_input_files(file("lamp.png"))

    # An image is about a thousand tokens of a cent each.
    about = page.locator("[data-composer-cost]")
    await expect(about).to_have_text("about $10.00")
    await page.get_by_role("button", name="Remove lamp.png").click()
    await expect(about).to_be_hidden()
