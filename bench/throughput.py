"""How much a server answers in a second when many programs ask at once."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.askers import Asker, Server, connected
from bench.installation import Running
from bench.instant import CHUNKS, INSTANT
from bench.table import Row

CLIENTS = 16


@dataclass(frozen=True)
class Side:
    """A server that is measured, and how it is called. `running`: its process, where that is of interest."""

    name: str
    server: Server
    running: Running | None = None


@dataclass(frozen=True)
class Pace:
    """How many were answered in a second, and the milliseconds that the server computed for each."""

    per_second: float
    processor_ms: float


async def paces(sides: list[Side], *, streaming: bool, rounds: int, seconds: float) -> dict[str, Pace]:
    """The median pace of each side. They take turns, so that what else the machine does is the same for all."""
    taken: dict[str, list[Pace]] = {side.name: [] for side in sides}
    for number in range(rounds + 1):
        for side in sides:
            pace = await _round(side, seconds if number else seconds / 2, streaming=streaming)
            if number:  # the first is for what every server keeps warm
                taken[side.name].append(pace)
    return {name: _middle(of_side) for name, of_side in taken.items()}


def rows_of(name: str, taken: dict[str, Pace], *, streaming: bool) -> list[Row]:
    what = f"streams of {CHUNKS} chunks" if streaming else "requests"
    pace = taken[name]
    return [
        Row(f"API, {what}, {CLIENTS} clients", pace.per_second, "/s"),
        Row(f"API, {what}, computed for each", pace.processor_ms, "ms"),
    ]


async def ask_until(server: Server, request: bytes, is_over: Callable[[], bool]) -> int:
    """How many questions CLIENTS programs asked, one after the other each, until it was over."""

    async def keep_asking(asker: Asker) -> int:
        count = 0
        while not is_over():
            await asker.ask(request)
            count += 1
        return count

    async with connected(server, CLIENTS) as askers:
        return sum(await asyncio.gather(*map(keep_asking, askers)))


async def _round(side: Side, seconds: float, *, streaming: bool) -> Pace:
    request = side.server.question(INSTANT, streaming=streaming)
    computed = side.running.processor_seconds() if side.running else 0
    begun = time.monotonic()
    count = await ask_until(side.server, request, lambda: time.monotonic() - begun > seconds)
    took = time.monotonic() - begun
    if side.running:
        computed = side.running.processor_seconds() - computed
    return Pace(count / took, computed / count * 1000)


def _middle(taken: list[Pace]) -> Pace:
    return Pace(median(pace.per_second for pace in taken), median(pace.processor_ms for pace in taken))
