"""What people do in the message box."""

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
