"""Values: what is made once and never changed. For every room, so it stands below all of them.

`@dataclass(frozen=True)` also refuses changes while the program runs, and pays for it with a call for each field that
is set. Values that are made for every call or every token are `@value`s instead: only mypy keeps them from being changed.
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

Value = TypeVar("Value")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[Value]) -> type[Value]:
    """The class as a dataclass whose objects are compared and hashed by their fields."""
    return dataclass(unsafe_hash=True)(cls)
