"""What is easily lost in a browser: one's place at the keyboard, what two tabs say at once, a text that is too long."""

import asyncio
import re

from playwright.async_api import Page, Route, expect

from tests.cast import Cast
from tests.system.composing import begin, say
from tests.system.conftest import OpenPage
from tests.system.test_writing import stopped_answer


async def test_who_asks_from_the_keyboard_stays_at_the_answer(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await stopped_answer(cast, open_page)
    answer = page.locator(".message--reply")

    await page.get_by_role("button", name="Continue").press("Enter")
    await expect(page.locator(".message--live")).to_have_count(1)
    await expect(answer).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Continue")).to_be_visible()
    await expect(answer).to_be_focused()

    await page.get_by_role("button", name="Regenerate").press("Enter")
    await expect(page.locator(".message--live")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("2/2")).to_be_visible()
    await expect(answer).to_be_focused()
    await page.get_by_role("button", name="Regenerate").press("Enter")
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("3/3")).to_be_visible()

    previous = page.get_by_role("button", name="Previous answer")
    await previous.press("Enter")
    await expect(page.get_by_text("2/3")).to_be_visible()
    await expect(previous).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("1/3")).to_be_visible()
    await expect(answer).to_be_focused()


async def test_what_two_tabs_say_at_once_is_whole_and_in_order_in_both(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    first = await open_page("/", cast.alice)
    await say(first, "Who is there?")
    await first.wait_for_url(re.compile("/chats/"))
    second = await open_page(first.url, cast.alice)

    for turn in range(1, 5):
        await asyncio.gather(say(first, f"First {turn}"), say(second, f"Second {turn}"))
        for page in (first, second):
            await expect(page.locator(".message--person")).to_have_count(1 + 2 * turn)
            await expect(page.locator(".message--live")).to_have_count(0)

    said = await first.locator("article").evaluate_all("all => all.map((one) => one.id)")
    assert await second.locator("article").evaluate_all("all => all.map((one) => one.id)") == said
    await second.reload()
    assert await second.locator("article").evaluate_all("all => all.map((one) => one.id)") == said


async def test_who_pastes_a_whole_book_is_told_how_much_fits_and_keeps_it(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    box = page.get_by_label("Message", exact=True)

    await box.evaluate("""(box) => {
      box.value = "a word and ".repeat(550_000)
      box.dispatchEvent(new Event("input", { bubbles: true }))
    }""")
    await page.get_by_role("button", name="Send").click()

    await expect(page.get_by_role("alert")).to_contain_text(
        "6,050,000 characters; at most 200,000 are accepted"
    )
    assert await box.evaluate("(box) => box.value.length") == 6_050_000
    assert problems == []


async def loses_the_next_answer(page: Page, path: str) -> None:
    """What the page posts next reaches the server, whose answer never arrives."""

    async def lose(route: Route) -> None:
        await route.fetch(max_redirects=0)
        await route.abort()

    await page.route(re.compile(f"{path}$"), lose, times=1)


async def test_who_changes_a_message_whose_answer_was_lost_keeps_both(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    await begin(page, "Who is there?")
    await expect(page.locator(".message--live")).to_have_count(0)
    box = page.get_by_label("Message", exact=True)

    await loses_the_next_answer(page, "/messages")
    await say(page, "We meet at seven")
    await expect(page.get_by_role("alert")).to_contain_text("What you wrote is still here")
    await expect(box).to_have_value("We meet at seven")
    await say(page, "We meet at eight")

    await expect(box).to_have_value("")
    said = page.locator(".message--person")
    await expect(said).to_have_text(
        [re.compile("Who is there"), re.compile("at seven"), re.compile("at eight")]
    )
    await expect(page.locator(".message--live")).to_have_count(0)
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.reload()
    await expect(said).to_have_count(3)
    await expect(box).to_have_value("")


async def test_who_sends_a_message_again_whose_answer_was_lost_has_said_it_once(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    box = page.get_by_label("Message", exact=True)

    await loses_the_next_answer(page, "/chats")
    await say(page, "We meet at seven")
    await expect(page.get_by_role("alert")).to_contain_text("What you wrote is still here")
    await box.press("Enter")

    await page.wait_for_url(re.compile("/chats/"))
    await expect(page.locator(".message--person")).to_have_count(1)
    await expect(page.locator(".chat-link")).to_have_count(1)
    await expect(box).to_have_value("")


async def test_what_is_sent_with_the_button_while_a_message_is_on_its_way_waits_in_the_box(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    await begin(page, "Who is there?")
    box = page.get_by_label("Message", exact=True)
    arrived = asyncio.Event()
    refused: list[int] = []
    page.on("response", lambda response: response.status < 400 or refused.append(response.status))

    async def hold(route: Route) -> None:
        await arrived.wait()
        await route.continue_()

    await page.route(re.compile("/messages$"), hold, times=1)
    await say(page, "One thing")
    await box.press_sequentially(" and another")
    await page.get_by_role("button", name="Send").click()
    arrived.set()

    await expect(page.locator(".message--person").last).to_contain_text("One thing")
    await expect(box).to_have_value("and another")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".message--person").last).to_contain_text("and another")
    await expect(page.locator(".message--person")).to_have_count(3)
    assert refused == []
