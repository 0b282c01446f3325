"""What a token of a model on one's own machine costs: the electricity of the time that it takes. Pure."""

from dataclasses import dataclass

from app.usage.pricing import MILLION

SECONDS_AN_HOUR = 3_600
WATTS_A_KILOWATT = 1_000


@dataclass(frozen=True)
class Machine:
    """`dollars_per_kwh` in US dollars; how fast it reads and writes in tokens per second."""

    watts: float
    dollars_per_kwh: float
    written_per_second: float
    read_per_second: float | None = None
    """None: as fast as it writes."""


def input_rate(machine: Machine) -> int:
    """Micro-US-dollars for a million tokens read."""
    return _rate(machine, machine.read_per_second or machine.written_per_second)


def output_rate(machine: Machine) -> int:
    """Micro-US-dollars for a million tokens written."""
    return _rate(machine, machine.written_per_second)


def _rate(machine: Machine, tokens_per_second: float) -> int:
    dollars_an_hour = machine.watts / WATTS_A_KILOWATT * machine.dollars_per_kwh
    tokens_an_hour = tokens_per_second * SECONDS_AN_HOUR
    return round(dollars_an_hour / tokens_an_hour * MILLION * MILLION)
