"""Rows of the ledger are never changed: a mistake is made up for by another row."""

from dataclasses import replace

from sqlalchemy import func, select

from app.core.clock import now
from app.core.database import Database
from app.usage.ledger import Entry, correction, record
from app.usage.models import LedgerEntry, Outcome


def entry(input_tokens: int, output_tokens: int, cost_micros: int | None) -> Entry:
    return Entry(
        at=now(),
        user_id="alice",
        connection="openai",
        model="gpt-5",
        origin="api",
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        is_estimate=False,
        outcome=Outcome.FINISHED,
        total_ms=900,
        first_token_ms=200,
        cost_micros=cost_micros,
    )


async def sums(database: Database) -> tuple[int, int, int]:
    columns = (LedgerEntry.input_tokens, LedgerEntry.output_tokens, LedgerEntry.cost_micros)
    async with database.reading() as session:
        row = (await session.execute(select(*(func.sum(column) for column in columns)))).one()
    return (row[0], row[1], row[2])


async def test_a_correction_makes_the_sums_right_and_leaves_the_row(database: Database) -> None:
    right = entry(1_000, 40, 1_650)
    async with database.writing() as session:
        await record(session, [entry(1_200, 10, None)])
    async with database.reading() as session:
        wrong = (await session.scalars(select(LedgerEntry))).one()

    async with database.writing() as session:
        await record(session, [correction([wrong], replace(right, id=wrong.id))])

    assert await sums(database) == (1_000, 40, 1_650)
    async with database.reading() as session:
        first, second = await session.scalars(select(LedgerEntry).order_by(LedgerEntry.id))
    assert (first.input_tokens, first.cost_micros, first.correction_of) == (1_200, None, None)
    assert (second.input_tokens, second.output_tokens, second.correction_of) == (-200, 30, first.id)
