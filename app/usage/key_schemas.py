"""JSON shapes of API keys."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from app.accounts.api_keys import LONGEST_NAME, rules_of
from app.accounts.key_rules import MOST_MODELS, MOST_RANGES, USUAL, rules_from
from app.accounts.models import ApiKey
from app.usage.budgets import HIGHEST
from app.usage.key_limits import WantedKey
from app.usage.pricing import MILLION

LONGEST_LIFE_DAYS = 3650
SCOPES = "Of `chat`, `embeddings`, `usage` and `admin`; the last is for keys of administrators."
RANGES = "Addresses or ranges, such as `192.0.2.0/24`, from where it may be used; none: from anywhere."
STORES_CALLS = "Whether what is asked with it and answered is stored as conversations of yours."
MODELS = "Models it is kept to, as `connection/model` or by an alias; none: every one that you may use."


class Key(BaseModel):
    """An API key, without the key itself."""

    id: str
    name: str
    prefix: str = Field(description="How the key begins, to tell keys apart.")
    scopes: list[str] = Field(description=SCOPES)
    models: list[str] = Field(description=MODELS)
    ranges: list[str] = Field(description=RANGES)
    stores_calls: bool = Field(description=STORES_CALLS)
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")
    expires_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "Key":
        return cls(**_shown(key))


class MadeKey(Key):
    """A key that was just made."""

    secret: str = Field(description="The key itself. This is the only time it is shown.")

    @classmethod
    def made(cls, key: ApiKey, secret: str) -> "MadeKey":
        return cls(**_shown(key), secret=secret)


class KeyToMake(BaseModel):
    """A key that is wanted."""

    name: str = Field(max_length=LONGEST_NAME, description="What the key is for.")
    scopes: list[str] = Field(sorted(USUAL), max_length=20, description=SCOPES)
    models: list[str] = Field([], max_length=MOST_MODELS, description=MODELS)
    ranges: list[str] = Field([], max_length=MOST_RANGES, description=RANGES)
    stores_calls: bool = Field(False, description=STORES_CALLS)
    days: int | None = Field(
        None,
        ge=1,
        le=LONGEST_LIFE_DAYS,
        description="Days until it expires; without it the key lives until it is revoked.",
    )
    monthly_limit: Decimal | None = Field(
        None,
        ge=0,
        le=HIGHEST // MILLION,
        decimal_places=6,
        description="The most that it may cost in a month, in US dollars.",
    )

    def wanted(self, at: datetime) -> WantedKey:
        """Raises Invalid, naming the field."""
        expires = str(self.days) if self.days else ""
        rules = rules_from(
            at,
            scopes=self.scopes,
            models=self.models,
            ranges=self.ranges,
            expires=expires,
            stores_calls=self.stores_calls,
        )
        limit = None if self.monthly_limit is None else int(self.monthly_limit * MILLION)
        return WantedKey(self.name, rules, limit)


class KeyChange(BaseModel):
    """What about a key can be another. What is left out stays as it is."""

    name: str | None = Field(None, max_length=LONGEST_NAME, description="What the key is for.")
    stores_calls: bool | None = Field(None, description=STORES_CALLS)


def _shown(key: ApiKey) -> dict[str, object]:
    rules = rules_of(key)
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(rules.scopes),
        "models": sorted(rules.models),
        "ranges": [str(allowed) for allowed in rules.ranges],
        "stores_calls": rules.stores_calls,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "expires_at": key.expires_at,
    }
