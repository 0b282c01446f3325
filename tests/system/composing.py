"""What people do in the message box."""

import re

from playwright.async_api import Page


async def choose(page: Page, model: str) -> None:
    """The first model that a search for this finds."""
    await page.get_by_role("button", name="Model").click()
    await page.get_by_label("Search models").fill(model)
    await page.keyboard.press("Enter")


async def say(page: Page, text: str) -> None:
    box = page.get_by_label("Message", exact=True)
    await box.fill(text)
    await box.press("Enter")


async def begin(page: Page, text: str) -> None:
    """A conversation, from the start page; one is in it then."""
    await say(page, text)
    await page.wait_for_url(re.compile("/chats/"))
