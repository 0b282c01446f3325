"""Entries of the ledger for stories about usage."""

from dataclasses import replace
from datetime import timedelta

from app.core.clock import now
from app.core.database import Database
from app.core.ids import new_id
from app.usage import ledger
from app.usage.ledger import Entry
from app.usage.models import Outcome
from tests.cast import Person

A_CALL = Entry(
    at=now(),
    user_id="",
    connection="openai",
    model="gpt-5",
    origin="chat:harbour",
    input_tokens=1_000,
    output_tokens=200,
    cache_read_tokens=600,
    is_estimate=False,
    outcome=Outcome.FINISHED,
    total_ms=2_000,
    first_token_ms=400,
    cost_micros=3_250_000,
)


async def uses(database: Database, person: Person, *, days_ago: int = 0, **details: object) -> None:
    """One call of the person's; `details` are fields of an Entry."""
    call = replace(A_CALL, id=new_id(), user_id=person.id, at=now() - timedelta(days=days_ago))
    async with database.writing() as session:
        await ledger.record(session, [replace(call, **details)])  # type: ignore[arg-type]
