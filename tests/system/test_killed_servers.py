"""A page that stays open while its server is killed: it shows what is left, by itself."""

import asyncio
import os
import re
import signal

from playwright.async_api import Browser, expect

from tests.conftest import LiveServer, StartServer
from tests.ports import free_port
from tests.system.test_newcomer import newcomer, says, sets_up

LONG = "/think /markdown /long 300 The first paragraph.\n\nThe tide comes in."
A_WHILE = 30_000


async def test_an_open_page_shows_what_a_killed_server_left(
    start_server: StartServer, browser: Browser
) -> None:
    port = free_port()
    server = start_server(port=port)
    laptop = await browser.new_context()
    page = await newcomer(laptop)
    await sets_up(page, server.url)
    await says(page, "Hello")
    await expect(page.locator(".message--reply")).to_contain_text("Hello")
    await says(page, LONG)
    reply = page.locator(".message--reply").nth(1)
    await expect(reply).to_contain_text(re.compile(r"The tide comes in\. (And so it goes on.*){3}"))
    await expect(page.get_by_label("A reply is being written")).to_be_visible()

    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    await page.wait_for_timeout(4_000)
    await expect(reply).to_contain_text("Writing")
    await asyncio.to_thread(start_server, port=port)

    await expect(reply).to_contain_text("Interrupted", timeout=A_WHILE)
    await expect(reply).not_to_contain_text("Writing")
    await expect(reply).to_contain_text(re.compile(r"The tide comes in\. And so it goes on"))
    await expect(reply.get_by_role("button", name="Retry")).to_be_visible()
    await expect(page.get_by_label("A reply is being written")).to_have_count(0, timeout=A_WHILE)
    await reply.get_by_role("button", name="Continue").click()
    await expect(reply).not_to_have_attribute("aria-busy", "true", timeout=A_WHILE)
    await expect(reply).to_contain_text(re.compile(r"And so it goes on.*practice model", re.DOTALL))
    await expect(reply).not_to_contain_text("Interrupted")
    await laptop.close()


async def test_a_line_that_died_without_a_word_is_opened_anew(
    live_server: LiveServer, browser: Browser
) -> None:
    laptop = await browser.new_context()
    page = await newcomer(laptop)
    await page.clock.install()
    await sets_up(page, live_server.url)
    await page.wait_for_timeout(500)

    # As when a machine loses its power: nothing more comes, and the line is not closed.
    os.kill(live_server.process.pid, signal.SIGSTOP)
    try:
        async with page.expect_request(re.compile("/live"), timeout=A_WHILE) as asked:
            await page.clock.fast_forward(30_000)
            assert not asked.is_done()
            await page.clock.fast_forward(15_000)
    finally:
        os.kill(live_server.process.pid, signal.SIGCONT)

    assert (await asked.value).headers["last-event-id"]
    await laptop.close()
