"""What a token of a model on one's own machine costs: the electricity of the time that it takes. Pure."""

from dataclasses import dataclass
from math import isfinite

from app.core.errors import Invalid
from app.usage.pricing import MILLION, Rates

SECONDS_AN_HOUR = 3_600
WATTS_A_KILOWATT = 1_000
CENTS = 100
SMALLEST, LARGEST = 0.001, 1_000_000


@dataclass(frozen=True)
class Machine:
    """`dollars_per_kwh` in US dollars; how fast it reads and writes in tokens per second."""

    watts: float
    dollars_per_kwh: float
    written_per_second: float
    read_per_second: float | None = None
    """None: as fast as it writes."""


def machine_from(watts: str, dollars_per_kwh: str, written_per_second: str, read_per_second: str) -> Machine:
    """A machine as somebody typed it; `read_per_second` may be empty. Raises Invalid with the field."""
    return Machine(
        _positive(watts, "watts"),
        _positive(dollars_per_kwh, "dollars_per_kwh"),
        _positive(written_per_second, "written_per_second"),
        _positive(read_per_second, "read_per_second") if read_per_second.strip() else None,
    )


def rates_of(machine: Machine) -> Rates:
    """What its electricity makes a million tokens cost, to the cent."""
    return Rates(
        input=_rate(machine, machine.read_per_second or machine.written_per_second),
        output=_rate(machine, machine.written_per_second),
    )


def _rate(machine: Machine, tokens_per_second: float) -> int:
    dollars_an_hour = machine.watts / WATTS_A_KILOWATT * machine.dollars_per_kwh
    tokens_an_hour = tokens_per_second * SECONDS_AN_HOUR
    return round(dollars_an_hour / tokens_an_hour * MILLION * CENTS) * MILLION // CENTS


def _positive(typed: str, field: str) -> float:
    try:
        number = float(typed)
    except ValueError:
        number = 0.0
    if not (isfinite(number) and SMALLEST <= number <= LARGEST):
        raise Invalid("Write a number that is more than zero, such as 350 or 0.3.", field=field)
    return number
