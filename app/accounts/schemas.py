"""JSON shapes of accounts."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


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
