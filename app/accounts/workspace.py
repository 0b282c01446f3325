"""What is true for the whole installation: its name, the system prompt that chats start with, time zone and currency.

Every page shows the name, so each process keeps the row in memory and reads it again when it changed.
"""

from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit, people
from app.accounts.audit import Act
from app.accounts.models import Workspace
from app.core.database import Database, after_commit
from app.core.errors import Invalid
from app.live.hub import Event, Hub, Lagged

STREAM = "workspace"
CHANGED: Event = {"type": "workspace_changed"}
LONGEST_NAME = 60
LONGEST_SYSTEM_PROMPT = 20_000


async def load(database: Database) -> Workspace:
    """The stored row, or one with nothing in it while there is none."""
    async with database.reading() as session:
        return await stored_or_new(session)


async def stored_or_new(session: AsyncSession) -> Workspace:
    """The stored row, or one that is not in the session yet."""
    return await session.get(Workspace, 1) or Workspace(
        id=1, name="", system_prompt="", timezone="UTC", currency="USD", exchange_rate_micros=1_000_000
    )


async def change(
    session: AsyncSession, hub: Hub, act: Act, *, name: str, system_prompt: str, timezone: str
) -> Workspace:
    """Store them and tell every process. Raises Invalid."""
    row = await stored_or_new(session)
    session.add(row)
    timezone = people.checked_timezone(timezone)
    name, system_prompt = name.strip(), system_prompt.strip().replace("\r\n", "\n")
    if len(name) > LONGEST_NAME:
        raise Invalid(f"The name may have at most {LONGEST_NAME} characters.", field="name")
    if len(system_prompt) > LONGEST_SYSTEM_PROMPT:
        raise Invalid(
            f"Instructions may have at most {LONGEST_SYSTEM_PROMPT:,} characters.", field="system_prompt"
        )
    if (row.name, row.system_prompt, row.timezone) != (name, system_prompt, timezone):
        row.name, row.system_prompt, row.timezone = name, system_prompt, timezone
        audit.record(session, act, "workspace.changed", subject=name)
        after_commit(session, lambda: hub.publish(STREAM, CHANGED))
    return row


async def follow(database: Database, hub: Hub, keep: Callable[[Workspace], None]) -> None:
    """Hand the row to `keep` each time it changed, in whichever process; runs until cancelled."""
    with hub.subscribe(STREAM) as changes:
        while True:
            with suppress(Lagged):
                await changes.next()
            keep(await load(database))
