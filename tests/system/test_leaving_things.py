"""What opens over a page goes by itself when one has done with it."""

from playwright.async_api import expect

from tests.cast import Cast
from tests.system.composing import begin
from tests.system.conftest import OpenPage


async def test_the_picker_goes_when_one_goes_on_with_tab(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page("/", cast.alice)
    picker = page.locator("#model-picker")
    await page.get_by_role("button", name="Model").press("Enter")
    await expect(page.get_by_label("Search models")).to_be_focused()

    await page.keyboard.press("Tab")
    await expect(picker).to_be_visible()
    while await picker.evaluate("(panel) => panel.contains(document.activeElement)"):
        await page.keyboard.press("Tab")

    await expect(picker).to_be_hidden()
    assert await page.evaluate("document.activeElement !== document.body"), "and one is where Tab leads to"


async def test_so_does_a_menu(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page("/", cast.alice)
    opened = page.locator("#whoami-menu")
    button = page.locator("[popovertarget=whoami-menu]")
    await button.press("Enter")
    await page.keyboard.press("ArrowDown")
    await expect(opened.locator(".menu__item").first).to_be_focused()

    await page.keyboard.press("Shift+Tab")
    await expect(button).to_be_focused()
    await expect(opened).to_be_visible()
    await page.keyboard.press("Shift+Tab")

    await expect(opened).to_be_hidden()


async def test_what_went_wrong_is_told_until_it_was_put_right(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    await begin(page, "Hello")
    await page.get_by_role("link", name="Rename").click()
    title = page.get_by_label("Title")
    await page.context.set_offline(True)
    await title.fill("Harbours")
    await title.press("Enter")
    # Pointed at it does not go by itself.
    await page.get_by_role("alert").hover()

    await page.context.set_offline(False)
    await title.press("Enter")

    await expect(page.get_by_role("heading", name="Harbours")).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_count(0)
