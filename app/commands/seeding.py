"""Writes a demo workspace into an empty installation, many rows at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from random import Random
from secrets import token_hex
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import passwords
from app.accounts.house import House
from app.accounts.models import ApiKey, Group, Membership, User, UserRole
from app.catalog.models import Connection, Model
from app.commands.bulk import indexed_at_the_end, insert_many
from app.commands.made_up import (
    CONNECTIONS,
    MODELS,
    MadeUpCall,
    MadeUpPerson,
    calls_by_day,
    liked_models,
)
from app.commands.made_up_team import GROUPS, KEY_FOR_EVERY, KEYS, name_of, username_of
from app.commands.seeding_budgets import add_budgets, add_prices
from app.commands.seeding_conversations import add_conversations
from app.core.clock import now
from app.core.database import Database
from app.core.ids import id_at, new_id
from app.usage import verification
from app.usage.models import ChatSum, LedgerEntry, ModelSum, PersonSum, UsageSum

LEDGER = cast("Table", LedgerEntry.__table__)
SEED = 20_261_121
DAYS_WITH_CONVERSATIONS = 14
"""Of older conversations only the use is kept, as if they had been deleted."""


@dataclass(frozen=True)
class Seeded:
    """What was made, and how to look at it."""

    people: int
    conversations: int
    requests: int
    username: str
    password: str


async def is_empty(database: Database) -> bool:
    """Whether nobody has an account yet."""
    async with database.reading() as session:
        return await session.scalar(select(User.id).limit(1)) is None


async def seed(house: House, *, people: int, requests: int, password: str = "") -> Seeded:
    """Make the workspace; everybody logs in with the same password."""
    password = password or f"demo {token_hex(6)}"
    password_hash = await passwords.hashed(password)
    chance = Random(SEED)  # noqa: S311  (the same figures each time, nothing secret)
    at = now()
    async with house.database.writing() as session:
        users = await _add_users(session, people, password_hash)
        await _add_catalog(session)
        groups = await _add_groups(session)
        made_up = await _add_people_to_groups(session, users, groups, chance)
        await add_prices(session, house, at - timedelta(days=400), at)
        calls = calls_by_day(made_up, requests, at.date(), chance)
        written, recent = await _add_calls(session, calls, at)
        conversations = await add_conversations(session, recent, _names_of(groups))
        await add_budgets(session, made_up[0].api_key_id, at)
    return Seeded(len(users), conversations, written, users[0].username, password)


async def _add_calls(
    session: AsyncSession, days: Iterable[tuple[date, list[MadeUpCall]]], at: datetime
) -> tuple[int, list[MadeUpCall]]:
    """Write the calls until now, and their sums; how many there are, and those of conversations that are kept."""
    written, recent = 0, []
    kept_from = _conversation_at(at - timedelta(days=DAYS_WITH_CONVERSATIONS))
    async with indexed_at_the_end(session, LedgerEntry, UsageSum, PersonSum, ModelSum, ChatSum):
        for month in _by_month(days):
            # Today is not over yet.
            calls = month if month[-1].at <= at else [call for call in month if call.at <= at]
            await insert_many(session, LEDGER, calls)
            recent += [call for call in calls if call.origin >= kept_from and call.origin.startswith("chat:")]
            written += len(calls)
        await verification.rebuild(session, at)
    return written, recent


def _conversation_at(moment: datetime) -> str:
    """What the origin of calls would be in a conversation that began at a moment: later ones are greater."""
    return f"chat:{id_at(int(moment.timestamp() * 1_000), 0)}"


def _by_month(days: Iterable[tuple[date, list[MadeUpCall]]]) -> Iterator[list[MadeUpCall]]:
    """The calls of each month in which there are any, to be written at once."""
    for _, of_month in groupby(days, key=lambda made: made[0].replace(day=1)):
        if month := [call for _, calls in of_month for call in calls]:
            yield month


def _names_of(groups: Sequence[Group]) -> Mapping[str, str]:
    return {group.id: group.name for group in groups}


async def _add_users(session: AsyncSession, count: int, password_hash: str) -> list[User]:
    """The first of them administers."""
    joined = now() - timedelta(days=400)
    users = []
    for number in range(count):
        name = name_of(number)
        username = username_of(name)
        role = UserRole.MEMBER if number else UserRole.ADMINISTRATOR
        users.append(
            User(
                id=new_id(),
                username=username,
                email=f"{username}@example.org",
                name=name,
                role=role,
                password_hash=password_hash,
                created_at=joined,
            )
        )
    session.add_all(users)
    await session.flush()
    return users


async def _add_catalog(session: AsyncSession) -> None:
    """The vendors' connections are off: there is no key to call them with. Echo answers."""
    connections = {
        known.name: Connection(
            id=new_id(), name=known.name, label=known.label, kind=known.kind, is_active=False
        )
        for known in CONNECTIONS
    }
    echo = Connection(id=new_id(), name="echo", label="Echo", kind="echo", last_success_at=now())
    session.add_all([*connections.values(), echo])
    await session.flush()
    session.add(Model(connection_id=echo.id, name="echo", display_name="Echo", is_enabled=True))
    session.add_all(
        Model(
            connection_id=connections[model.connection].id,
            name=model.name,
            display_name=model.label,
            is_enabled=True,
        )
        for model in MODELS
    )


async def _add_groups(session: AsyncSession) -> list[Group]:
    groups = [Group(id=new_id(), name=name, handle=name.casefold()) for name in GROUPS]
    session.add_all(groups)
    await session.flush()
    return groups


async def _add_people_to_groups(
    session: AsyncSession, users: Sequence[User], groups: Sequence[Group], chance: Random
) -> list[MadeUpPerson]:
    """Everybody is in one group, whose first member manages it; some have a key for scripts."""
    people = []
    for number, user in enumerate(users):
        paying = groups[number % len(groups)]
        is_manager = number < len(groups)
        session.add(Membership(user_id=user.id, group_id=paying.id, is_main=True, is_manager=is_manager))
        key = _key_of(user, number // KEY_FOR_EVERY) if number % KEY_FOR_EVERY == 0 else None
        if key is not None:
            session.add(key)
        people.append(MadeUpPerson(user.id, paying.id, key.id if key else None, liked_models(chance)))
    return people


def _key_of(user: User, number: int) -> ApiKey:
    """A key that nobody holds: its hash is the hash of nothing."""
    return ApiKey(
        id=new_id(),
        user_id=user.id,
        name=KEYS[number % len(KEYS)],
        prefix=f"demo-{user.id[-4:]}",
        key_hash=token_hex(32),
    )
