"""The administrator's pages as Chromium shows them: what htmx does there, seen by eye."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from app.accounts import cookies
from app.core.settings import Settings
from tests.cast import Cast
from tests.catalog.vendor import GOOD_KEY, OTHER_KEY, Vendor, vendor  # noqa: F401  (a fixture)


@pytest.fixture
def settings(settings: Settings, vendor: Vendor) -> Settings:  # noqa: F811
    """What looks like LM Studio runs on this machine, and asks for no key."""
    vendor.keys |= {"", OTHER_KEY}
    addresses = {"ollama_base_url": "http://127.0.0.1:9", "lmstudio_base_url": vendor.url.removesuffix("/v1")}
    return settings.model_copy(update=addresses | {"provider_retries": 0})


@pytest.fixture
async def page(address: str, cast: Cast, browser: Browser) -> AsyncIterator[Page]:
    """Alice's browser; errors of scripts and of the content security policy fail the story."""
    context = await browser.new_context(base_url=address)
    await context.add_cookies([{"name": cookies.NAME, "value": cast.alice.token, "url": address}])
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    await context.close()
    assert complaints == []


async def test_the_first_run_finds_connects_and_ticks(page: Page) -> None:
    await page.goto("/setup/provider")
    await page.get_by_role("button", name="Connect LM Studio").click()

    await expect(page.get_by_role("heading", name="Choose models")).to_be_visible()
    await expect(page.get_by_role("checkbox", name="gpt-large")).to_be_checked()
    await expect(page.get_by_role("checkbox", name="text-embedding-big")).not_to_be_checked()


async def test_a_connection_is_added_tested_and_switched_without_leaving_the_page(
    page: Page,
    vendor: Vendor,  # noqa: F811
) -> None:
    await page.goto("/admin/connections/new")
    await page.get_by_role("link", name="OpenAI-compatible server").click()
    await page.get_by_label("Name", exact=True).fill("Workshop")
    await page.get_by_label("Address").fill(vendor.url)
    await page.get_by_label("Key", exact=True).fill(GOOD_KEY)
    await page.get_by_role("button", name="Connect").click()
    card = page.get_by_role("region", name="Workshop")
    await expect(card).to_contain_text("2 of 3 ticked")

    vendor.keys.clear()
    await card.get_by_role("button", name="Test connection").click()
    await expect(card).to_contain_text("Key rejected")
    vendor.keys.add(GOOD_KEY)
    await card.get_by_role("button", name="Test connection").press("Enter")
    await expect(card).to_contain_text("Answered in")
    await expect(card.get_by_role("button", name="Test connection")).to_be_focused()

    await card.get_by_role("switch").click()
    await expect(card.locator(".light")).to_have_text("Off")
    await page.reload()
    await expect(card.get_by_role("switch")).not_to_be_checked()


async def test_the_button_says_that_it_is_testing(page: Page, vendor: Vendor) -> None:  # noqa: F811
    await page.goto("/setup/provider")
    await page.get_by_role("button", name="Connect LM Studio").click()
    await page.goto("/admin/connections")
    card = page.get_by_role("region", name="LM Studio")
    await expect(card).to_contain_text("2 of 3 ticked")
    vendor.mood = "silent"

    await card.get_by_role("button", name="Test connection").click()

    await expect(card.get_by_text("Testing")).to_be_visible()
    await expect(card.get_by_text("Test connection")).not_to_be_visible()


async def test_ticks_count_at_once_and_the_search_finds(page: Page, cast: Cast) -> None:
    await cast.alice.client.post("/admin/connections", data={"kind": "echo"})
    await page.goto("/admin/models")
    await expect(page.get_by_role("region", name="Echo", exact=True)).to_contain_text("3 of 3 ticked")

    for box in await page.get_by_role("checkbox").all():
        await box.click()
    await expect(page.get_by_role("region", name="Echo", exact=True)).to_contain_text("0 of 3 ticked")
    await page.reload()
    await expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)

    await page.get_by_role("searchbox", name="Find a model").fill("slow")
    await expect(page.get_by_role("checkbox")).to_have_count(1)


async def test_a_key_is_deleted_after_a_question(page: Page, cast: Cast, vendor: Vendor) -> None:  # noqa: F811
    form = {"kind": "openai-compatible", "label": "Workshop", "base_url": vendor.url, "key": GOOD_KEY}
    await cast.alice.client.post("/admin/connections", data=form)
    await page.goto("/admin/connections")
    await page.get_by_role("link", name="Replace the key of Workshop").click()

    await page.get_by_role("button", name="Delete key").click()
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text("asked without a key")
    await question.get_by_role("button", name="Delete key").click()

    await expect(page.get_by_text("None is stored")).to_be_visible()
