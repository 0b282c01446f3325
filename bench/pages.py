"""How long a chat's page takes in the server, and what a browser fetches on its first visit."""

import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

import aiohttp
from playwright.async_api import Page, async_playwright
from yarl import URL

from bench.installation import PASSWORD, Running
from bench.table import Row

VIEWS = 60
LIMIT_PAGE_MS = 40
LIMIT_RATIO = 1.3
LIMIT_REQUESTS, LIMIT_KILOBYTES = 12, 200


async def measure_pages(running: Running, short_chat: str, long_chat: str) -> list[Row]:
    """Measured by a client on the same machine, so that the server's own share is a little less."""
    paths = [f"/chats/{short_chat}", f"/chats/{long_chat}"]
    async with signed_in(running, "alice") as browser:
        taken = await times_of(browser, paths, VIEWS)
    short, long = (median(taken[path]) for path in paths)
    return [
        Row("Page of a chat with 20 messages, median", short, "ms", LIMIT_PAGE_MS),
        Row("Page of a chat with 10,000 messages, median", long, "ms", LIMIT_PAGE_MS),
        Row("Page with 10,000 messages against 20", long / short, "times", LIMIT_RATIO),
    ]


@asynccontextmanager
async def signed_in(running: Running, login: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser in which somebody is signed in."""
    # aiohttp keeps no cookies of bare addresses unless it is told to.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(running.url, cookie_jar=jar) as browser:
        await browser.post("/login", data={"login": login, "password": PASSWORD})
        yield browser


async def times_of(browser: aiohttp.ClientSession, paths: list[str], views: int) -> dict[str, list[float]]:
    """How long each page took, in milliseconds; in turns, so that what else the machine does is the same for all."""
    taken: dict[str, list[float]] = {path: [] for path in paths}
    for path in paths * views:
        begun = time.perf_counter()
        async with browser.get(path) as response:
            response.raise_for_status()
            _refuse_sign_in_page(response.url.path)
            await response.read()
        taken[path].append((time.perf_counter() - begun) * 1000)
    return taken


async def measure_first_visit(running: Running) -> list[Row]:
    """What Chromium fetches when somebody who is signed in opens Parley with an empty cache."""
    executable = shutil.which("chromium")
    if executable is None:
        return []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        context = await chromium.new_context(base_url=running.url)
        await context.request.post("/login", form={"login": "alice", "password": PASSWORD})
        requests, size = await _visit(await context.new_page())
        await chromium.close()
    return [
        Row("First visit, requests", requests, "", LIMIT_REQUESTS),
        Row("First visit, transferred", size / 1000, "kB", LIMIT_KILOBYTES),
    ]


def _refuse_sign_in_page(path: str) -> None:
    if path == "/login":
        raise RuntimeError("Signing in failed; these would be figures of the wrong page.")


async def _visit(page: Page) -> tuple[int, float]:
    network = await page.context.new_cdp_session(page)
    await network.send("Network.enable")
    requests: set[str] = set()
    sizes: dict[str, float] = {}
    network.on("Network.requestWillBeSent", lambda event: requests.add(event["requestId"]))
    network.on(
        "Network.loadingFinished",
        lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}),
    )
    await page.goto("/")
    _refuse_sign_in_page(URL(page.url).path)
    await page.wait_for_timeout(1500)
    return len(requests), sum(sizes.values())
