"""What is asked about usage, and the names under which answers are told apart: values without a database."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.usage.ranges import Range
from app.usage.rollups import Total


class Measure(StrEnum):
    """What bars are as long as: money in micro-US-dollars, or tokens in and out."""

    COST = "cost"
    TOKENS = "tokens"

    def of(self, total: Total) -> int:
        return total.cost_micros if self is Measure.COST else total.tokens


@dataclass(frozen=True)
class Filter:
    """What is looked at; an empty part means all of it. `model` is `connection/model`, `provider` a connection."""

    user: str = ""
    group: str = ""
    key: str = ""
    provider: str = ""
    model: str = ""
    origin: str = ""

    @property
    def names_people(self) -> bool:
        """Whether it needs the sums that know who asked."""
        return bool(self.user or self.group or self.key)

    @property
    def names_models(self) -> bool:
        """Whether it needs the sums that know what was asked."""
        return bool(self.provider or self.model)


class Question(NamedTuple):
    """What is asked: about which days, and about whose and which calls."""

    range: Range
    filter: Filter

    @property
    def before(self) -> "Question":
        return Question(self.range.before, self.filter)


class What(NamedTuple):
    """A model where it is offered."""

    connection: str
    model: str

    @property
    def full_name(self) -> str:
        return f"{self.connection}/{self.model}"


class Who(NamedTuple):
    """Who asked, who paid, with which key, and from where; without a group or key the part is empty."""

    user_id: str
    group_id: str
    api_key_id: str
    origin: str


class Bar(NamedTuple):
    """A model's share of one bar of the chart."""

    bar: str
    what: What
