"""A process that spends: `python -m tests.usage.spender URL COUNT` makes so many calls at once.

Prints how many were allowed. What a call needs is exactly what it then uses, so that the sums can be foretold.
"""

import asyncio
import sys

from app import schema
from app.core.clock import now
from app.core.database import Database
from app.core.ids import new_id
from app.usage import budgets, reservations
from app.usage.admission import Admission
from app.usage.ledger import Entry
from app.usage.models import Outcome
from app.usage.needs import Need, NoRoom
from app.usage.pricing import Price, PriceSource, Rates
from app.usage.purses import Payer
from app.usage.reservations import Settled

assert schema.metadata
PRICE = Price(Rates(1_000_000, 1_000_000), PriceSource.OVERRIDE)
"""A micro-dollar for each token."""
INPUT, OUTPUT = 100, 400
COST = INPUT + OUTPUT
NEED = Need(INPUT, INPUT, OUTPUT, PRICE)
PAYER = Payer("alice", "echo/echo-fast", group_id="design")


async def spend(database: Database, admission: Admission) -> bool:
    """One call, if it is allowed: held for, made, settled."""
    call_id, at = new_id(), now()
    async with database.reading() as session:
        purses = (await budgets.read_book(session)).binding(PAYER, at)
    try:
        hold = await admission.admit(call_id, purses, NEED)
    except NoRoom:
        return False
    await asyncio.sleep(0.02)
    entry = Entry(
        at=at,
        user_id=PAYER.user_id,
        group_id=PAYER.group_id,
        connection="echo",
        model="echo-fast",
        origin="api",
        input_tokens=INPUT,
        output_tokens=OUTPUT,
        is_estimate=False,
        outcome=Outcome.FINISHED,
        total_ms=1,
        cost_micros=COST,
    )
    async with database.writing() as session:
        await reservations.settle(session, [Settled(entry, hold)])
    return True


async def look_after(admission: Admission) -> None:
    while True:
        await asyncio.sleep(0.1)
        await admission.look_after()


async def main(url: str, count: int) -> None:
    database = Database(url)
    admission = Admission(database)
    looking = asyncio.create_task(look_after(admission))
    allowed = await asyncio.gather(*(spend(database, admission) for _ in range(count)))
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await admission.close()
    await database.close()
    print(sum(allowed))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
