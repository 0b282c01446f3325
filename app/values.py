"""Values: what is made once and never changed. For every room, so it stands below all of them.

`@dataclass(frozen=True)` says the same, and enforces it while the program runs: each field is then set by a function
of its own. What every call of a program makes a dozen of is a `@value`, which mypy alone keeps from being changed.
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

Value = TypeVar("Value")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[Value]) -> type[Value]:
    """The class as a dataclass whose objects are compared and hashed by their fields."""
    return dataclass(unsafe_hash=True)(cls)
