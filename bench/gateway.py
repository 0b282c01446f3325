"""Parley as a gateway for programs: its rows are measured against an upstream that answers at once.

A key with a budget, hard limits of its owner and of the workspace, and the ledger are at work, as they would be.
"""

from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.askers import Server
from bench.installation import Installation, Running, upstream_running
from bench.instant import ENDLESS, INSTANT
from bench.table import Row
from bench.throughput import Side, paces, rows_of

PREFIX = "upstream/"


@dataclass(frozen=True)
class Scale:
    """How much is measured: rounds of so many seconds."""

    rounds: int
    seconds: float


FULL = Scale(rounds=5, seconds=4)
QUICK = Scale(rounds=3, seconds=2)


def measure_gateway(folder: Path, scale: Scale) -> list[Row]:
    with upstream_running("bench.instant") as upstream:
        installation = Installation(folder / "gateway")
        installation.prepare(upstream, [PREFIX + INSTANT, PREFIX + ENDLESS])
        installation.limit_everybody()
        with installation.running() as running:
            return uvloop.run(_measure(installation, running, Server(upstream, "none"), scale))


async def _measure(installation: Installation, running: Running, upstream: Server, scale: Scale) -> list[Row]:
    parley = Server(running.url, installation.limited_key, PREFIX)
    sides = [Side("Parley", parley, running), Side("upstream", upstream)]
    rows: list[Row] = []
    for streaming in (False, True):
        taken = await paces(sides, streaming=streaming, rounds=scale.rounds, seconds=scale.seconds)
        rows += rows_of("Parley", taken, streaming=streaming)
        rows.append(Row("The upstream itself", taken["upstream"].per_second, "/s"))
    return rows
