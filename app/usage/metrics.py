"""Figures for Prometheus at /metrics: since the beginning, by model. Off until METRICS_TOKEN is set."""

import secrets
from collections.abc import Iterable, Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.usage.models import ModelSum
from app.usage.questions import What
from app.usage.rollups import SUMS, Total

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
COUNTERS = {
    "requests": "Calls of models.",
    "input_tokens": "Tokens in, with those read from a cache.",
    "cache_read_tokens": "Tokens in that were read from a cache.",
    "output_tokens": "Tokens out, with reasoning.",
    "cost_micros": "Cost in millionths of a US dollar, of what has a price.",
    "unpriced": "Calls without a price.",
    "stopped": "Calls that were stopped.",
    "failed": "Calls that failed.",
}


def is_allowed(token: str, authorization: str) -> bool:
    """Whether `Authorization: Bearer …` holds the token. Without a token nobody may read the figures."""
    given = authorization.removeprefix("Bearer ").strip()
    return bool(token) and secrets.compare_digest(given.encode(), token.encode())


async def figures(session: AsyncSession) -> str:
    """Every counter in Prometheus' text format. They only grow, but for corrections."""
    sums = [func.sum(getattr(ModelSum, name)) for name in SUMS]
    # Months hold everything; the days beside them hold the same once more.
    months = func.length(ModelSum.period) == len("2026-11")
    keys = (ModelSum.connection, ModelSum.model)
    rows = await session.execute(select(*keys, *sums).where(months).group_by(*keys).order_by(*keys))
    totals = {What(row[0], row[1]): Total(*map(int, row[2:])) for row in rows}
    return "".join(_counter(name, about, totals) for name, about in COUNTERS.items())


def _counter(name: str, about: str, totals: Mapping[What, Total]) -> str:
    lines: Iterable[str] = (
        f'parley_{name}_total{{connection="{_escaped(what.connection)}",model="{_escaped(what.model)}"}} '
        f"{getattr(total, name)}\n"
        for what, total in totals.items()
    )
    return f"# HELP parley_{name}_total {about}\n# TYPE parley_{name}_total counter\n{''.join(lines)}"


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
