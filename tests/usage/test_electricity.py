"""What a machine of one's own makes a token cost."""

import pytest

from app.core.errors import Invalid
from app.usage.electricity import Machine, machine_from, rates_of


def test_the_electricity_of_a_million_tokens() -> None:
    # 360 W at $0.30 a kilowatt-hour are $0.108 an hour; at 50 tokens a second a million take 5.56 hours: $0.60.
    rates = rates_of(Machine(360, 0.30, written_per_second=50, read_per_second=1_000))

    assert rates.output == 600_000
    assert rates.input == 30_000


def test_without_a_figure_for_reading_it_reads_as_fast_as_it_writes() -> None:
    rates = rates_of(machine_from("360", "0.30", "50", ""))

    assert rates.input == rates.output == 600_000


@pytest.mark.parametrize("nonsense", ["", "0", "-1", "nan", "inf", "1e99", "many"])
def test_nonsense_is_refused_where_it_stands(nonsense: str) -> None:
    with pytest.raises(Invalid) as refused:
        machine_from("360", "0.30", nonsense, "")
    assert refused.value.field == "written_per_second"
