"""A client's JSON, read field by field. What does not fit is said in a sentence that names the field."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from app.v1.surface import BadRequest, Json

MOST_ITEMS = 10_000
"""In one list; to go through more of them would keep everybody else waiting."""
LARGEST_COUNT = 2**63 - 1
"""What can be told to a provider as a number."""


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object. `path` is where it stands in the request, as clients' errors write it: `messages.0`.

    A field that is missing and one that is null are the same: not said. Every method raises BadRequest when
    what stands there is of another kind.
    """

    values: Json
    path: str = ""

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self.wrong(name, "must be a text")

    def needed_text(self, name: str) -> str:
        """The text at `name`, which must be given and not be empty."""
        return self.text(name) or self._missing(name)

    def count(self, name: str, least: int = 0) -> int | None:
        """The whole number at `name`, which is `least` or more."""
        if self.values.get(name) is None:
            return None
        value = self.number(name) or 0
        if not float(value).is_integer() or value < least:
            raise self.wrong(name, f"must be a whole number of at least {least}")
        if value > LARGEST_COUNT:
            raise self.wrong(name, "is too large")
        return int(value)

    def number(self, name: str, least: float = -math.inf, most: float = math.inf) -> float | None:
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, "must be a number")
        if not least <= value <= most:
            raise self.wrong(name, f"must be between {least:g} and {most:g}")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise self.wrong(name, "must be true or false")

    def choice(self, name: str, known: Sequence[str]) -> str | None:
        """The text at `name`, which is one of `known`."""
        value = self.text(name)
        if value is None or value in known:
            return value
        raise self.wrong(name, f"must be one of {', '.join(known)}")

    def needed_choice(self, name: str, known: Sequence[str]) -> str:
        return self.choice(name, known) or self._missing(name)

    def texts(self, name: str) -> tuple[str, ...]:
        items = self.items(name)
        texts = tuple(item for item in items if isinstance(item, str))
        if len(texts) == len(items):
            return texts
        raise self.wrong(name, "must be a list of texts")

    def child(self, name: str) -> "Fields | None":
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, dict):
            return Fields(value, self.at(name))
        raise self.wrong(name, "must be an object")

    def needed_child(self, name: str) -> "Fields":
        child = self.child(name)
        if child is None:
            self._missing(name)
        return child

    def children(self, name: str) -> list["Fields"]:
        """The objects in the list at `name`; none when it is missing."""
        return [self._item(name, index, item) for index, item in enumerate(self.items(name))]

    def items(self, name: str) -> list[object]:
        """The list at `name`, whatever it holds; an empty one when it is missing."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(name, "must be a list")
        if len(value) > MOST_ITEMS:
            raise self.wrong(name, f"has more than {MOST_ITEMS:,} items")
        return value

    def at(self, name: str) -> str:
        """Where `name` stands in the whole request."""
        return f"{self.path}.{name}" if self.path else name

    def wrong(self, name: str, what: str) -> BadRequest:
        """An error that says of `name` what is wrong: `messages.0.role: must be a text.`"""
        return BadRequest(f"{self.at(name)}: {what}.", self.at(name))

    def _item(self, name: str, index: int, item: object) -> "Fields":
        if isinstance(item, dict):
            return Fields(item, f"{self.at(name)}.{index}")
        raise self.wrong(f"{name}.{index}", "must be an object")

    def _missing(self, name: str) -> NoReturn:
        raise self.wrong(name, "is needed")
