"""The first two minutes, in Chromium: from an empty installation to a conversation on two devices."""

import re

from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.cast import PASSWORD
from tests.conftest import LiveServer
from tests.system.serving import Start
from tests.waiting import MILLISECONDS_TO_WAIT

LONG = "/long 5000 The tide comes in."


async def newcomer(context: BrowserContext) -> Page:
    page = await context.new_page()
    page.set_default_timeout(MILLISECONDS_TO_WAIT)
    return page


async def sets_up(page: Page, url: str) -> None:
    """From the address that the console printed to the first conversation."""
    await page.goto(url)
    await page.get_by_label("Your name").fill("Alice Liddell")
    await page.get_by_label("Username").fill("alice")
    await page.get_by_label("E-mail").fill("alice@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await page.get_by_role("button", name="Echo").click()
    await page.get_by_role("button", name="Start talking").click()
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()


async def says(page: Page, words: str) -> None:
    await page.get_by_label("Message", exact=True).fill(words)
    await page.keyboard.press("Enter")


async def test_from_nothing_to_a_conversation_on_two_devices(
    live_server: LiveServer, browser: Browser
) -> None:
    await talks_on_two_devices(live_server.url, browser)


async def test_four_workers_are_one_server(start: Start, postgres_url: str, browser: Browser) -> None:
    await talks_on_two_devices(start("--workers", "4", DATABASE_URL=postgres_url).url, browser)


async def talks_on_two_devices(url: str, browser: Browser) -> None:
    """Set up, talk, reload in the middle of an answer, stop it from another device, go on there."""
    laptop = await browser.new_context()
    page = await newcomer(laptop)
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: refused.append(str(error)))

    await sets_up(page, url)
    await says(page, "/markdown How deep is the harbour?")

    answer = page.locator(".message--reply").first
    await expect(answer).to_contain_text("How deep is the harbour?")
    await expect(answer.get_by_role("heading", name="A heading")).to_be_visible()
    await expect(answer).not_to_have_attribute("aria-busy", "true")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("")

    # Reload in the middle of an answer: it goes on, and nothing is there twice.
    await says(page, LONG)
    second = page.locator(".message--reply").nth(1)
    await expect(second).to_contain_text("The tide comes in.")
    await page.reload()
    await expect(page.locator("article")).to_have_count(4)
    await expect(second).to_have_attribute("aria-busy", "true")
    await expect(second).to_contain_text(re.compile(r"The tide comes in\. (And so it goes on.*){2}"))

    # A second device watches the same answer, and stops it.
    phone = await browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    there = await newcomer(phone)
    await there.goto(page.url)
    await there.get_by_label("Username or e-mail").fill("alice@example.org")
    await there.get_by_label("Password").fill(PASSWORD)
    await there.get_by_role("button", name="Log in").click()
    await expect(there.locator(".message--reply").nth(1)).to_contain_text("The tide comes in.")
    await there.get_by_role("button", name="Stop the reply").click()
    await expect(second).to_contain_text("Stopped")
    await expect(there.locator(".message--reply").nth(1)).to_contain_text("Stopped")

    # What one device says, the other shows; once on each.
    await there.get_by_label("Message", exact=True).fill("Said on the phone")
    await there.get_by_role("button", name="Send").click()
    await expect(page.locator(".message--person").last).to_contain_text("Said on the phone")
    await expect(page.locator(".message--reply").last).to_contain_text("Said on the phone")
    await expect(page.locator("article")).to_have_count(6)
    await expect(there.locator("article")).to_have_count(6)
    assert refused == []
    await laptop.close()
    await phone.close()


async def test_a_draft_survives_signing_out_elsewhere(live_server: LiveServer, browser: Browser) -> None:
    laptop = await browser.new_context()
    page = await newcomer(laptop)
    await sets_up(page, live_server.url)
    await says(page, "Hello")
    await expect(page.locator(".message--reply")).to_contain_text("Hello")
    conversation = page.url

    await page.get_by_label("Message", exact=True).fill("Half a thought")
    await page.wait_for_timeout(600)
    await laptop.clear_cookies(name=re.compile("parley_session"))
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/login\?next="))
    await page.get_by_label("Username or e-mail").fill("alice")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()

    await expect(page).to_have_url(conversation)
    await expect(page.get_by_label("Message", exact=True)).to_have_value("Half a thought")
    await laptop.close()


async def test_without_scripts_one_can_talk_too(live_server: LiveServer, browser: Browser) -> None:
    plain = await browser.new_context(java_script_enabled=False)
    page = await newcomer(plain)
    await page.goto(live_server.url)
    await page.get_by_label("Your name").fill("Alice Liddell")
    await page.get_by_label("Username").fill("alice")
    await page.get_by_label("E-mail").fill("alice@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await page.get_by_role("button", name="Echo").click()
    await page.get_by_role("button", name="Start talking").click()

    await page.get_by_label("Message", exact=True).fill("Plain words")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".message--reply")).to_contain_text("Plain words")
    await page.get_by_role("button", name="Regenerate").click()
    await expect(page.locator(".variants")).to_contain_text("2/2")
    await page.get_by_role("button", name="Previous answer").click()
    await expect(page.locator(".variants")).to_contain_text("1/2")

    # No script keeps a draft here: what cannot be sent any more is on the page that says so.
    await plain.clear_cookies()
    await page.get_by_label("Message", exact=True).fill("A whole thought")
    await page.get_by_role("button", name="Send").click()
    async with plain.expect_page() as opened:
        await page.get_by_role("link", name="Log in in another tab").click()
    beside = await opened.value
    await expect(beside.get_by_text("What you had not sent yet")).to_be_hidden()
    await beside.get_by_label("Username or e-mail").fill("alice")
    await beside.get_by_label("Password").fill(PASSWORD)
    await beside.get_by_role("button", name="Log in").click()
    await expect(beside.get_by_label("Message", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".message--person").last).to_contain_text("A whole thought")
    await plain.close()
