"""What a year of a large workspace costs: its pages of usage, and writing down one call more."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median

from app.commands.made_up import MadeUpCall, MadeUpPerson, calls_by_day, liked_models
from app.core.clock import now
from app.core.database import Database
from app.core.ids import new_id
from app.core.settings import Settings
from app.core.version import VERSION
from app.usage import ledger
from app.usage.ledger import Entry
from app.usage.models import Outcome
from bench.installation import Installation, Running
from bench.kept import KEPT
from bench.pages import signed_in, times_of
from bench.table import Row

YEARS = KEPT / "years"
PEOPLE = 500
ADMINISTRATOR = "alice"
LIMIT_PAGE_MS = 150
LIMIT_SEEDING_SECONDS = 60
LIMIT_RATIO = 1.2
CALLS_AT_ONCE = 20
"""As many as a busy fifth of a second brings."""
TIMES_OPENED = 3
"""How the two lie in memory differs from one opening to the next."""


@dataclass(frozen=True)
class Scale:
    """How many calls the year has, how often each page is opened, and how many batches are written."""

    calls: int
    views: int
    batches: int


FULL = Scale(calls=1_000_000, views=15, batches=200)
QUICK = Scale(calls=100_000, views=5, batches=120)


def measure_usage(folder: Path, scale: Scale) -> list[Row]:
    """On a copy of a made-up year, which is kept for the next run on the same day."""
    kept, seconds = _year(scale)
    full = Installation(folder / "year")
    shutil.copytree(kept, full.data_dir)
    with full.running() as running:
        pages = asyncio.run(_pages(running, scale))
    empty = Installation(folder / "empty")
    empty.prepare_tables()
    name = f"A year of {scale.calls:,} calls"
    made = [] if seconds is None else [Row(f"{name}, made up in", seconds, "s", LIMIT_SEEDING_SECONDS)]
    return [
        *made,
        Row(f"{name}, worst page of {len(pages)}, median", max(pages.values()), "ms", LIMIT_PAGE_MS),
        Row(f"{name}, page in the middle, median", median(pages.values()), "ms", LIMIT_PAGE_MS),
        Row(
            f"Writing {CALLS_AT_ONCE} calls after {scale.calls:,} against into an empty ledger",
            median(asyncio.run(_ratio(full, empty, scale)) for _ in range(TIMES_OPENED)),
            "times",
            LIMIT_RATIO,
        ),
    ]


def _year(scale: Scale) -> tuple[Path, float | None]:
    """Where the year is, and how long it took to make up; None: it was there."""
    folder = YEARS / f"{VERSION}-{date.today():%Y-%m-%d}-{scale.calls}"  # noqa: DTZ011  (only a name)
    if folder.exists():
        return folder / "data", None
    shutil.rmtree(YEARS, ignore_errors=True)
    begun = time.monotonic()
    unfinished = folder.with_name("unfinished")
    Installation(unfinished).make_up_a_year(PEOPLE, scale.calls)
    unfinished.rename(folder)
    return folder / "data", time.monotonic() - begun


async def _pages(running: Running, scale: Scale) -> dict[str, float]:
    """The median time of each page that is linked from another."""
    async with signed_in(running, ADMINISTRATOR) as browser:
        async with browser.get("/api/usage/workspace?period=year") as response:
            response.raise_for_status()
            paths = _linked(await response.json())
        for path in paths:
            await times_of(browser, [path], 1)  # what every server keeps warm
        taken = await times_of(browser, paths, scale.views)
    return {path: median(milliseconds) for path, milliseconds in taken.items()}


def _linked(report: dict[str, list[dict[str, str]]]) -> list[str]:
    """Pages for administrators, for a group's managers and for oneself, in the ways they can be narrowed."""
    person, group = report["people"][0]["id"], report["groups"][0]["id"]
    key = next(line["id"] for line in report["keys"] if line["id"])
    model = report["models"][0]["model"]
    today = date.today()  # noqa: DTZ011  (the machine's day will do)
    days_off = f"from={today - timedelta(days=330)}&to={today - timedelta(days=15)}"
    filters = (
        f"user={person}",
        f"group={group}",
        f"key={key}",
        f"model={model}",
        "provider=openai",
        "origin=chat",
    )
    wishes = (
        "",
        "period=7d",
        "period=year",
        "period=year&show=tokens",
        "period=year&plan=month",
        days_off,
        f"{days_off}&group={group}",
        f"from={today - timedelta(days=90)}&by=day",
        f"from={today - timedelta(days=180)}&by=week",
        *filters,
        *(f"{one}&period=year" for one in filters),
    )
    own = ("", "period=year", days_off, f"model={model}")
    return [
        *(f"/admin/usage?{wish}" for wish in wishes),
        *(f"/usage/groups/{group}?{wish}" for wish in ("", "period=year", days_off)),
        f"/usage/groups/{group}/statement",
        *(f"/usage?{wish}" for wish in own),
    ]


async def _ratio(full: Installation, empty: Installation, scale: Scale) -> float:
    """How much longer the same calls take to write where there are many; in turns, and without the first few."""
    async with _opened(full) as large, _opened(empty) as small:
        seconds: dict[Database, list[float]] = {large: [], small: []}
        for calls in _batches(scale.batches):
            for database in (large, small):
                begun = time.perf_counter()
                async with database.writing() as session:
                    await ledger.record(session, calls)
                seconds[database].append(time.perf_counter() - begun)
    warm = scale.batches // 4
    return median(seconds[large][warm:]) / median(seconds[small][warm:])


@asynccontextmanager
async def _opened(installation: Installation) -> AsyncIterator[Database]:
    database = Database(Settings(_env_file=None, data_dir=installation.data_dir).resolved_database_url)
    try:
        yield database
    finally:
        await database.close()


def _batches(count: int) -> list[list[Entry]]:
    """So many batches of calls, as another five hundred people made them today."""
    chance = Random(1)  # noqa: S311  (the same figures each time, nothing secret)
    people = [
        MadeUpPerson(f"person{number:010}", f"group{number % 8}", None, liked_models(chance))
        for number in range(PEOPLE)
    ]
    today = date.today()  # noqa: DTZ011  (the machine's day will do)
    days = calls_by_day(people, 365 * count * CALLS_AT_ONCE, today, chance)
    calls = (_entry(call) for _, of_day in days for call in of_day)
    return [list(islice(calls, CALLS_AT_ONCE)) for _ in range(count)]


def _entry(call: MadeUpCall) -> Entry:
    return Entry(**call._asdict() | {"at": now(), "id": new_id(), "outcome": Outcome(call.outcome)})
