"""The form for a new key, as people and administrators fill it in."""

from datetime import datetime
from typing import Annotated

from fastapi import Form
from pydantic import BaseModel, ConfigDict, Field

from app.accounts.forms import LONGEST_FIELD
from app.accounts.key_rules import MOST_MODELS, rules_from
from app.core.errors import Invalid
from app.usage import budgets
from app.usage.currency import Currency
from app.usage.key_limits import WantedKey
from app.usage.models import Unit

ON_A_DAY = "day"
LIVES = (
    ("30", "In 30 days"),
    ("90", "In 90 days"),
    ("365", "In a year"),
    (ON_A_DAY, "On the day below"),
    ("never", "Never"),
)


class KeyForm(BaseModel):
    """What was typed. `models` are those that were ticked, `other_models` are named one in a line."""

    model_config = ConfigDict(str_max_length=LONGEST_FIELD)

    name: str = ""
    scopes: list[str] = Field([], max_length=20)
    models: list[str] = Field([], max_length=MOST_MODELS)
    other_models: str = ""
    ranges: str = ""
    expires: str = "90"
    last_day: str = ""
    limit: str = ""
    stores_calls: bool = False

    def wanted(self, at: datetime, currency: Currency) -> WantedKey:
        """Raises Invalid, naming the field."""
        rules = rules_from(
            at,
            scopes=self.scopes,
            models=[*self.models, *self.other_models.splitlines()],
            ranges=self.ranges.replace(",", "\n").splitlines(),
            expires=self._end(),
            stores_calls=self.stores_calls,
        )
        return WantedKey(self.name, rules, limit_from(self.limit, currency))

    def _end(self) -> str:
        if self.expires == ON_A_DAY and not self.last_day:
            raise Invalid("Choose the last day on which the key works.", field="last_day")
        return self.last_day if self.expires == ON_A_DAY else self.expires


FilledKeyForm = Annotated[KeyForm, Form()]
EMPTY_FORM = KeyForm(scopes=["chat", "embeddings", "usage"])


def limit_from(typed: str, currency: Currency) -> int | None:
    """A monthly limit in micro-US-dollars; None where nothing was typed. Raises Invalid."""
    return budgets.amount_from(typed, Unit.USD, currency) if typed.strip() else None
