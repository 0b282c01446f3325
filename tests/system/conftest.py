"""A workspace with Echo behind a real socket, and browsers in which the cast is signed in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from app.accounts import cookies
from tests.cast import Person
from tests.chats.conftest import echo, settings  # noqa: F401  (fixtures)
from tests.system.serving import environment, start  # noqa: F401  (fixtures)
from tests.waiting import MILLISECONDS_TO_WAIT

SECONDS_TO_CLOSE = 20

OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_page(browser: Browser, address: str) -> AsyncIterator[OpenPage]:
    """Opens a page in a browser of its own: `open_page("/", person=cast.alice, color_scheme="dark")`."""
    contexts: list[BrowserContext] = []

    async def open_in_new_browser(path: str, person: Person | None = None, **options: object) -> Page:
        context = await browser.new_context(base_url=address, timezone_id="Europe/Rome", **options)
        contexts.append(context)
        if person is not None:
            await context.add_cookies([{"name": cookies.NAME, "value": person.token, "url": address}])
        page = await context.new_page()
        page.set_default_timeout(MILLISECONDS_TO_WAIT)
        await page.goto(path)
        return page

    yield open_in_new_browser
    for context in contexts:
        # Chromium may never say that it closed what was on its way to another page; it ends with the browser then.
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_TO_CLOSE):
                await context.close()
