"""What is left behind by very many requests, and by programs that go away in the middle of an answer."""

import asyncio
import time
from itertools import count

from bench.askers import Server, ask_while, connect, connected
from bench.installation import Running
from bench.instant import ENDLESS, INSTANT
from bench.table import Row

LIMIT_GROWTH = 8
LIMIT_HANGING_UP = 1
LEAVING_AT_ONCE = 50
SECONDS_TO_SETTLE = 1.5
WARM_UP_SHARE = 5
DEPARTURES = 20


async def measure_endurance(
    running: Running, parley: Server, upstream: Server, requests: int, departures: int
) -> list[Row]:
    return [
        await _after_requests(running, parley, requests),
        await _after_departures(running, parley, departures),
        await _hanging_up(parley, upstream),
    ]


async def _after_requests(running: Running, parley: Server, requests: int) -> Row:
    """Memory after all of them, less that after the first ones, which fill what every server keeps."""
    first = requests // WARM_UP_SHARE
    await _ask(parley, first)
    before = await _settled_megabytes(running)
    await _ask(parley, requests - first)
    grown = await _settled_megabytes(running) - before
    return Row(f"API, memory grown from request {first:,} to {requests:,}", grown, "MiB", LIMIT_GROWTH)


async def _after_departures(running: Running, parley: Server, departures: int) -> Row:
    first = departures // WARM_UP_SHARE
    await _leave(parley, first)
    before = await _settled_megabytes(running)
    await _leave(parley, departures - first)
    grown = await _settled_megabytes(running) - before
    name = f"API, memory grown from abandoned stream {first:,} to {departures:,}"
    return Row(name, grown, "MiB", LIMIT_GROWTH)


async def _hanging_up(parley: Server, upstream: Server) -> Row:
    """How long the upstream goes on for a program that is gone; the longest of several."""
    longest, quiet = 0.0, upstream.get("/quiet")
    async with connected(upstream) as [observer]:
        await observer.ask_plainly(quiet)
        for _ in range(DEPARTURES):
            asker = await connect(parley)
            await asker.ask_for_a_word(parley.question(ENDLESS, streaming=True))
            gone = time.monotonic()
            asker.go_away()
            await observer.ask_plainly(quiet)
            longest = max(longest, time.monotonic() - gone)
    return Row("API, upstream goes on after its client left, longest", longest, "s", LIMIT_HANGING_UP)


async def _ask(parley: Server, requests: int) -> None:
    numbers = count(1)
    await ask_while(parley, parley.question(INSTANT, streaming=False), lambda: next(numbers) <= requests)


async def _leave(parley: Server, departures: int) -> None:
    """So many programs ask, hear a word and go away, LEAVING_AT_ONCE at a time."""
    request = parley.question(ENDLESS, streaming=True)

    async def hear_a_word() -> None:
        asker = await connect(parley)
        await asker.ask_for_a_word(request)
        asker.go_away()

    for _ in range(0, departures, LEAVING_AT_ONCE):
        await asyncio.gather(*(hear_a_word() for _ in range(LEAVING_AT_ONCE)))


async def _settled_megabytes(running: Running) -> float:
    # What waits for the ledger is written a moment later.
    await asyncio.sleep(SECONDS_TO_SETTLE)
    return running.resident_megabytes()
