"""Writing and reading in a real browser: nothing typed is lost, and nothing moves under the reader's eyes."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.cast import Cast
from tests.chats.waiting import finished_replies
from tests.system.composing import begin, say
from tests.system.conftest import OpenPage

LONG = "/long 400 Tell me a story."
BOTTOM = "() => document.querySelector('[data-follow]').scrollTop"
# As it is painted: between the arrival of a line and the next frame, the page has not corrected itself yet.
# Observers are called in the order of their making, this one after the page's own.
TOP_OF_QUESTION = """() => new Promise((resolve) => {
  const question = document.querySelector(".message--person")
  new ResizeObserver((_, observer) => {
    observer.disconnect()
    resolve(question.getBoundingClientRect().top)
  }).observe(question)
})"""


async def test_a_conversation_from_the_first_key_to_the_last_word(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    await page.keyboard.type("Good evening")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("to all of you")
    await page.keyboard.press("Enter")

    await page.wait_for_url(re.compile("/chats/"))
    reply = page.locator(".message--reply").last
    await expect(reply).to_contain_text("to all of you")
    await expect(page.locator(".message--live")).to_have_count(0)
    await expect(page.locator(".chat-link[aria-current]")).to_contain_text("Good evening")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("")


async def test_a_draft_survives_everything_until_it_was_sent(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    await begin(page, "Hello")
    box = page.get_by_label("Message", exact=True)

    await page.context.set_offline(True)
    await say(page, "A thought worth keeping")
    await expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    await expect(box).to_have_value("A thought worth keeping")
    await page.context.set_offline(False)
    await page.reload()
    await expect(box).to_have_value("A thought worth keeping")

    await box.press("Enter")
    await expect(page.locator(".message--person").last).to_contain_text("A thought worth keeping")
    await expect(box).to_have_value("")
    await page.reload()
    await expect(box).to_have_value("")


async def test_a_draft_waits_behind_an_expired_session(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page("/", cast.alice)
    box = page.get_by_label("Message", exact=True)
    await box.fill("Not lost")
    await page.context.clear_cookies()
    await box.press("Enter")

    await page.wait_for_url(re.compile("/login"))
    await page.get_by_label("Username or e-mail").fill("alice")
    await page.get_by_label("Password").fill(cast.alice.password)
    await page.keyboard.press("Enter")

    await expect(box).to_have_value("Not lost")


@pytest.mark.parametrize("way", ["key", "button"])
async def test_stop_keeps_what_has_been_said(cast: Cast, echo: str, open_page: OpenPage, way: str) -> None:
    page = await open_page("/", cast.alice)
    await say(page, "/slow One two three four five six seven eight nine ten")
    await expect(page.locator(".message--live .prose--open")).to_contain_text("One two")

    if way == "key":
        await page.keyboard.press("Escape")
    else:
        await page.get_by_role("button", name="Stop the reply").click()

    await expect(page.locator(".message--live")).to_have_count(0)
    await expect(page.locator(".message--reply").last).to_contain_text("One two")
    await expect(page.get_by_text("Stopped")).to_be_visible()


async def test_whoever_stops_with_the_buttons_key_is_in_the_message_box_then(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    await say(page, "/slow One two three four five six seven eight nine ten")
    await expect(page.locator(".message--live .prose--open")).to_contain_text("One two")

    await page.get_by_role("button", name="Stop the reply").press("Enter")

    await expect(page.get_by_text("Stopped")).to_be_visible()
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()


async def stopped_answer(cast: Cast, open_page: OpenPage) -> Page:
    page = await open_page("/", cast.alice)
    await say(page, "/slow One two three four five six seven eight nine ten")
    await expect(page.locator(".message--live .prose--open")).to_contain_text("One two")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Continue")).to_be_visible()
    return page


async def test_only_the_newest_answer_can_go_on(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await stopped_answer(cast, open_page)

    await say(page, "Something else")

    await expect(page.locator(".message--reply").last).to_contain_text("Something else")
    await expect(page.get_by_text("Stopped")).to_be_visible()
    await expect(page.get_by_role("button", name="Continue")).to_have_count(0)


async def test_an_answer_that_a_script_continues_goes_on_on_the_page(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await stopped_answer(cast, open_page)
    address = f"/chats/{re.split('[/#]', page.url)[4]}"
    (reply,) = await finished_replies(cast.alice, address)

    await cast.alice.client.post(f"/api{address}/messages/{reply['id']}/continuation")

    await expect(page.get_by_text("Stopped")).to_have_count(0)
    await expect(page.get_by_role("button", name="Continue")).to_have_count(0)
    await expect(page.locator(".message--reply")).to_contain_text("And so it goes on")
    await expect(page.locator(".message--live")).to_have_count(0)
    await expect(page.get_by_role("button", name="Continue")).to_have_count(0)


async def test_the_view_follows_at_the_bottom_and_rests_elsewhere(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    started = await cast.alice.client.post("/chats", data={"body": "word " * 800, "model": echo})
    await finished_replies(cast.alice, started.headers["location"])
    page = await open_page(started.headers["location"], cast.alice)
    await page.get_by_role("button", name="Model:").click()
    await page.get_by_placeholder("Search").fill("echo/echo")
    await page.keyboard.press("Enter")
    await say(page, LONG)
    await expect(page.locator(".message--live .prose--open")).to_contain_text("word after word")
    assert abs(await page.evaluate(BOTTOM)) < 2

    await page.evaluate("() => { document.querySelector('[data-follow]').scrollTop = -600 }")
    await expect(page.get_by_role("button", name="Jump to latest")).to_be_visible()
    before = await page.evaluate(TOP_OF_QUESTION)
    await page.wait_for_timeout(1500)
    assert abs(await page.evaluate(TOP_OF_QUESTION) - before) < 2

    await page.get_by_role("button", name="Jump to latest").click()
    assert abs(await page.evaluate(BOTTOM)) < 2
    await page.keyboard.press("Escape")


async def test_an_error_is_an_error_and_can_be_tried_again(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    await say(page, "/fail rate_limited Hello")

    await expect(page.get_by_role("group", name="Error")).to_be_visible()
    await page.get_by_role("button", name="Retry").click()
    await expect(page.get_by_text("2/2")).to_be_visible()
    await page.get_by_role("button", name="Previous answer").click()
    await expect(page.get_by_text("1/2")).to_be_visible()


async def test_two_tabs_show_every_message_once(cast: Cast, echo: str, open_page: OpenPage) -> None:
    first = await open_page("/", cast.alice)
    await say(first, "From the first tab")
    await first.wait_for_url(re.compile("/chats/"))
    second = await open_page(first.url, cast.alice)

    await say(second, "From the second tab")

    for page in (first, second):
        await expect(page.locator(".message--person")).to_have_count(2)
        await expect(page.locator(".message--reply")).to_have_count(2)
        await expect(page.locator(".message--live")).to_have_count(0)
        await expect(page.locator(".message--reply").last).to_contain_text("From the second tab")


async def test_a_page_is_known_by_its_requests(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page("/", cast.alice)
    known_as = await page.locator("body").get_attribute("hx-headers:inherited") or ""
    async with page.expect_request(lambda request: request.method == "POST") as posted:
        await say(page, "Hello")

    headers = (await posted.value).headers
    assert f'"X-Page": "{headers["x-page"]}"' in known_as
    await page.wait_for_url(re.compile("/chats/"))


async def test_a_title_is_changed_where_it_stands(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page("/", cast.alice)
    await begin(page, "Hello")

    await page.get_by_role("link", name="Rename").click()
    await expect(page.get_by_label("Title")).to_be_focused()
    await page.keyboard.type("Lighthouses")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name="Lighthouses", exact=True)).to_be_visible()
    await expect(page.locator(".chat-link[aria-current]")).to_have_text(re.compile("Lighthouses"))
    await expect(page).to_have_title("Lighthouses · Parley")
    await expect(page.get_by_role("link", name="Rename")).to_be_focused()


async def test_escape_leaves_a_title_as_it_was(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page("/", cast.alice)
    await begin(page, "Hello")

    await page.get_by_role("link", name="Rename").click()
    await page.get_by_label("Title").fill("Not this")
    await page.keyboard.press("Escape")

    await expect(page.get_by_role("heading", name="Hello", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name="Rename")).to_be_focused()


async def test_the_message_box_is_ready_for_the_next_message(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    await page.keyboard.type("First")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/chats/"))

    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    await page.keyboard.type("Second")
    await page.keyboard.press("Enter")

    await expect(page.locator(".message--person").last).to_contain_text("Second")


async def test_deleting_offers_the_way_back(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page("/", cast.alice)
    await begin(page, "Hello")
    address = page.url.partition("#")[0]

    await page.get_by_role("button", name="More about this conversation").click()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Undo").click()

    await page.wait_for_url(address)
    await expect(page.locator(".message--person")).to_contain_text("Hello")


async def test_finished_sentences_are_announced_and_not_tokens(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    page = await open_page("/", cast.alice)
    await say(page, "/slow The first sentence is done. The second one is not yet")

    announcer = page.locator("#announcer")
    await expect(announcer).to_have_text("The first sentence is done.")


async def test_the_tab_says_that_a_reply_is_done(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page("/", cast.alice)
    await page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => true })")
    await begin(page, "Hello")
    await expect(page).to_have_title(re.compile("^✓ Hello"))


async def test_a_conversation_without_scripts(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page("/", cast.alice, java_script_enabled=False)
    await page.get_by_label("Message", exact=True).fill("Plain and simple")
    await page.get_by_role("button", name="Send").click()
    await page.wait_for_url(re.compile("/chats/"))
    path = page.url.removeprefix(page.url.partition("/chats/")[0]).partition("#")[0]
    await finished_replies(cast.alice, path)
    await page.reload()

    await expect(page.locator(".message--reply")).to_contain_text("Plain and simple")
    await page.get_by_role("button", name="Regenerate").click()
    await finished_replies(cast.alice, path)
    await page.reload()
    await expect(page.get_by_text("2/2")).to_be_visible()
