"""`bin/bench`: measures what is promised about speed and size, and prints one table.

Upstream, Parley and readers run on the same machine and share its processors, so that the figures are an
upper bound. Ends with exit code 1 when a promise is missed.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import median

import uvloop

from bench import gateway, replies, usage
from bench.installation import Installation, Running, upstream_running
from bench.limits import measure_limits
from bench.pages import measure_first_visit, measure_pages
from bench.seeding import seed_chat
from bench.table import Row, show

STARTS = 3
SECONDS_UNTIL_IDLE = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller measurements")
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    wished = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        for name in [wished.only] if wished.only else PARTS:
            rows += PARTS[name](Path(folder) / name, wished.quick)
    print(show(rows))
    sys.exit(0 if all(row.is_kept for row in rows) else 1)


def _measure_chat(folder: Path, is_quick: bool) -> list[Row]:
    with upstream_running() as upstream:
        installation = Installation(folder)
        installation.prepare(upstream)
        return [
            *_starts(installation),
            *_use(installation, replies.QUICK if is_quick else replies.FULL),
        ]


def _measure_gateway(folder: Path, is_quick: bool) -> list[Row]:
    return gateway.measure_gateway(folder, gateway.QUICK if is_quick else gateway.FULL)


def _measure_usage(folder: Path, is_quick: bool) -> list[Row]:
    return usage.measure_usage(folder, usage.QUICK if is_quick else usage.FULL)


PARTS = {"chat": _measure_chat, "gateway": _measure_gateway, "usage": _measure_usage}


def _starts(installation: Installation) -> list[Row]:
    seconds = []
    for _ in range(STARTS):
        with installation.running() as running:
            seconds.append(running.seconds)
    return [Row("Start to /health, from the second start on, median", median(seconds), "s", 2)]


def _use(installation: Installation, scale: replies.Scale) -> list[Row]:
    short_chat, long_chat = seed_chat(installation, 20), seed_chat(installation, 10_000)
    with installation.running() as running:
        return uvloop.run(_measure(installation, running, scale, (short_chat, long_chat)))


async def _measure(
    installation: Installation, running: Running, scale: replies.Scale, chats: tuple[str, str]
) -> list[Row]:
    await asyncio.sleep(SECONDS_UNTIL_IDLE)
    return [
        Row("Idle, resident memory", running.resident_megabytes(), "MiB", 120),
        *await measure_pages(running, *chats),
        *await measure_first_visit(running),
        await measure_limits(installation, running, scale.questions),
        *await replies.measure_replies(installation, running, scale),
    ]


if __name__ == "__main__":
    main()
