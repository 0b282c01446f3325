"""`/health`: whether this process works and the database answers, for those who watch over Parley."""

import asyncio
import time

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.core.database import Database, database_of
from app.core.version import VERSION

SECONDS_TO_ANSWER = 2.0

router = APIRouter(tags=["health"])


class Part(BaseModel):
    """One thing Parley needs. `ms` is how long it took to answer, in milliseconds."""

    status: str
    ms: float | None = None


class Health(BaseModel):
    """`status` is `ok` or `failing`; when it fails, `message` says what to look at."""

    status: str
    version: str
    database: Part
    message: str | None = None


@router.get("/health", responses={503: {"model": Health}})
async def show_health(request: Request, response: Response) -> Health:
    """Ask the database something real, and say how that went. Anybody may ask; nothing secret is told."""
    response.headers["cache-control"] = "no-store"
    took = await _ask(database_of(request))
    if took is not None:
        return Health(status="ok", version=VERSION, database=Part(status="ok", ms=took))
    response.status_code = 503
    return Health(
        status="failing",
        version=VERSION,
        database=Part(status="failing"),
        message="The database does not answer. `bin/parley check` on the server says more.",
    )


async def _ask(database: Database) -> float | None:
    """Milliseconds until the database answered; None when it failed or took too long."""
    # SQLite answers a bare SELECT 1 without opening its file.
    question = "SELECT name FROM sqlite_master LIMIT 1" if database.is_sqlite else "SELECT 1"
    started = time.perf_counter()
    try:
        async with asyncio.timeout(SECONDS_TO_ANSWER), database.reading() as session:
            await session.execute(text(question))
    except (SQLAlchemyError, OSError, TimeoutError):
        return None
    return round((time.perf_counter() - started) * 1000, 1)
