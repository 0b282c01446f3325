"""How much is answered in a second when many programs ask at once: by Parley, its upstream, and perhaps a peer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.askers import CLIENTS, Server, ask_while
from bench.installation import Running
from bench.instant import CHUNKS, INSTANT
from bench.table import Row

PARLEY, UPSTREAM = "Parley", "the upstream itself"
LEAST_TIMES = {False: 15, True: 25}
"""What a peer does, by whether answers are streamed."""


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


async def measure_throughput(sides: Sequence[Side], rounds: int, seconds: float) -> list[Row]:
    """Of Parley and whatever else is among the sides, without streams and with them."""
    rows = []
    for streaming in (False, True):
        paces = await _paces(sides, rounds, seconds, streaming=streaming)
        rows += _rows(paces, streaming=streaming)
    return rows


async def _paces(sides: Sequence[Side], rounds: int, seconds: float, *, streaming: bool) -> dict[str, Pace]:
    """The median pace of each side. They take turns, so that what else the machine does is the same for all."""
    taken: dict[str, list[Pace]] = {side.name: [] for side in sides}
    for number in range(rounds + 1):
        for side in sides:
            pace = await _pace(side, seconds, streaming=streaming)
            if number:  # the first round is for what every server keeps warm
                taken[side.name].append(pace)
    return {name: _middle(paces) for name, paces in taken.items()}


async def _pace(side: Side, seconds: float, *, streaming: bool) -> Pace:
    request = side.server.question(INSTANT, streaming=streaming)
    computed = side.running.processor_seconds() if side.running else 0
    begun = time.monotonic()
    count = await ask_while(side.server, request, lambda: time.monotonic() - begun < seconds)
    took = time.monotonic() - begun
    if side.running:
        computed = side.running.processor_seconds() - computed
    return Pace(count / took, computed / count * 1000)


def _middle(paces: Sequence[Pace]) -> Pace:
    return Pace(median(pace.per_second for pace in paces), median(pace.processor_ms for pace in paces))


def _rows(paces: dict[str, Pace], *, streaming: bool) -> list[Row]:
    what = f"API, streams of {CHUNKS} chunks" if streaming else "API, requests"
    rows = []
    for name, pace in paces.items():
        rows.append(Row(f"{what}, {CLIENTS} clients, {name}", pace.per_second, "/s"))
        if name != UPSTREAM:
            rows.append(Row(f"{what}, computed for each, {name}", pace.processor_ms, "ms"))
        if name not in (PARLEY, UPSTREAM):
            times = paces[PARLEY].per_second / pace.per_second
            rows.append(Row(f"{what}, Parley against {name}", times, "times", least=LEAST_TIMES[streaming]))
            # On a busy machine the two may get unequal shares of it; of this figure they do not matter.
            less = pace.processor_ms / paces[PARLEY].processor_ms
            rows.append(Row(f"{what}, computed for each by {name} against Parley", less, "times"))
    return rows
