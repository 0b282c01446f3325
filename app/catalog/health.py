"""What was last heard of a connection: that it works, or how it failed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Connection
from app.providers.errors import ProviderError


@dataclass(frozen=True)
class Sign:
    """One call's news of a connection; without an `error` it is well."""

    connection_id: str
    at: datetime
    error: ProviderError | None = None
    answer_ms: int | None = None
    """Given by tests and refreshes: how long the answer took."""


async def note(session: AsyncSession, sign: Sign) -> None:
    """Keep `sign` with its connection; of a connection that was removed meanwhile nothing is kept."""
    values = _well(sign) if sign.error is None else _failed(sign, sign.error)
    await session.execute(update(Connection).where(Connection.id == sign.connection_id).values(**values))


def _well(sign: Sign) -> dict[str, object]:
    answered = {} if sign.answer_ms is None else {"last_answer_ms": sign.answer_ms}
    return {"last_success_at": sign.at, **answered}


def _failed(sign: Sign, error: ProviderError) -> dict[str, object]:
    return {
        "last_error_at": sign.at,
        "last_error_code": error.code,
        "last_error": error.cause,
        "last_remedy": error.remedy,
    }
