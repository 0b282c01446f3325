"""Parley as a gateway for programs: its rows are measured against an upstream that answers at once.

A key with a budget, hard limits of its owner and of the workspace, and the ledger are at work, as they would be.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench import peer
from bench.added import measure_added
from bench.askers import Server
from bench.bulk import measure_bulk
from bench.endurance import measure_endurance
from bench.installation import Installation, Running, upstream_running
from bench.instant import ENDLESS, INSTANT
from bench.table import Row
from bench.throughput import PARLEY, UPSTREAM, Side, measure_throughput

PREFIX = "upstream/"


@dataclass(frozen=True)
class Scale:
    """How much is measured. `rounds` of so many `seconds` for what is answered in a second, `questions` for what is
    added to each, `requests` and `departures` for what is left behind, `bulks` large requests of each kind."""

    rounds: int
    seconds: float
    questions: int
    requests: int
    departures: int
    bulks: int


FULL = Scale(rounds=5, seconds=2, questions=2_000, requests=100_000, departures=5_000, bulks=15)
QUICK = Scale(rounds=3, seconds=1.5, questions=500, requests=10_000, departures=500, bulks=5)


def measure_gateway(folder: Path, scale: Scale, *, with_peer: bool) -> list[Row]:
    version = peer.install() if with_peer else ""
    with upstream_running("bench.instant") as upstream:
        installation = Installation(folder)
        installation.prepare(upstream, [PREFIX + INSTANT, PREFIX + ENDLESS])
        installation.limit_everybody()
        with installation.running() as running, ExitStack() as others:
            parley = Server(running.url, installation.limited_key, PREFIX)
            sides = [Side(PARLEY, parley, running), Side(UPSTREAM, Server(upstream, "none"))]
            if with_peer:
                sides.append(
                    Side(f"LiteLLM {version}", *others.enter_context(peer.serving(folder, upstream)))
                )
            compared = uvloop.run(measure_throughput(sides, scale.rounds, scale.seconds))
            # What follows is of Parley alone: nobody else is to be at work beside it.
            others.close()
            return [*compared, *uvloop.run(_measure_alone(running, parley, sides[1].server, scale))]


async def _measure_alone(running: Running, parley: Server, upstream: Server, scale: Scale) -> list[Row]:
    return [
        *await measure_added(parley, upstream, scale.questions),
        *await measure_bulk(parley, scale.bulks),
        *await measure_endurance(running, parley, upstream, scale.requests, scale.departures),
    ]
