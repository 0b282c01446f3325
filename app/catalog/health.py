"""What was last heard of a connection: that it works, or how it failed."""

from datetime import datetime

from sqlalchemy import ColumnElement, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Connection
from app.catalog.opening import Target
from app.core.changes import UNWATCHED
from app.providers.errors import ProviderError
from app.values import value


@value
class Sign:
    """One call's news of a connection; without an `error` it is well."""

    target: Target
    at: datetime
    error: ProviderError | None = None
    answer_ms: int | None = None
    """Given by tests and refreshes: how long the answer took."""


async def note(session: AsyncSession, sign: Sign) -> None:
    """Keep `sign` with its connection, unless that was removed or got another address or key meanwhile."""
    # Failing is what one practises with Echo; it says nothing about a connection.
    if sign.error is not None and sign.target.kind == "echo":
        return
    values = _well(sign) if sign.error is None else _failed(sign, sign.error)
    await session.execute(
        update(Connection).where(*_is_still(sign.target)).values(**values), execution_options=UNWATCHED
    )


def _is_still(target: Target) -> tuple[ColumnElement[bool], ...]:
    return (
        Connection.id == target.connection_id,
        Connection.base_url == target.base_url,
        Connection.encrypted_key.is_not_distinct_from(target.encrypted_key),
    )


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
