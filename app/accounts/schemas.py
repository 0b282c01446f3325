"""JSON shapes of accounts and personal keys."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from app.accounts import api_keys


class Me(BaseModel):
    """Who the key or cookie belongs to."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    username: str
    email: str
    name: str
    role: str = Field(description="`administrator` or `member`.")
    timezone: str
    created_at: datetime


class Key(BaseModel):
    """A personal key, without the key itself."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    prefix: str = Field(description="How the key begins, to tell keys apart.")
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


class KeyToMake(BaseModel):
    """A key that is wanted."""

    name: str = Field(max_length=api_keys.LONGEST_NAME, description="What the key is for.")
    days: int | None = Field(
        None,
        ge=1,
        le=api_keys.LONGEST_LIFE_DAYS,
        description="Days until it expires; without it the key lives until it is revoked.",
    )


class MadeKey(Key):
    """A key that was just made."""

    secret: str = Field(description="The key itself. This is the only time it is shown.")
