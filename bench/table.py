"""What was measured, as one table."""

from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Row:
    """One measurement. `limit` is the most that was promised and `least` the least, None where nothing was; `unit`
    follows all of them."""

    name: str
    measured: float
    unit: str
    limit: float | None = None
    least: float | None = None

    @property
    def is_kept(self) -> bool:
        return (self.limit is None or self.measured <= self.limit) and (
            self.least is None or self.measured >= self.least
        )

    @property
    def promised(self) -> str:
        if self.limit is not None:
            return f"at most {self.limit:g} {self.unit}"
        return "" if self.least is None else f"at least {self.least:g} {self.unit}"


def p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98] if len(values) > 1 else values[0]


def median_and_p99(
    name: str, values: list[float], unit: str, limits: tuple[float, float] | None
) -> list[Row]:
    """Two rows for one set of measurements; `limits` are for the median and for the 99th percentile."""
    at_median, at_p99 = limits or (None, None)
    return [
        Row(f"{name}, median", median(values), unit, at_median),
        Row(f"{name}, p99", p99(values), unit, at_p99),
    ]


def show(rows: list[Row]) -> str:
    width = max(len(row.name) for row in rows)
    return "\n".join(_line(row, width) for row in rows)


def _line(row: Row, width: int) -> str:
    verdict = "" if not row.promised else ("ok" if row.is_kept else "MISSED")
    return f"{row.name:<{width}}  {row.measured:>10.2f} {row.unit:<9} {row.promised:<20} {verdict}".rstrip()
