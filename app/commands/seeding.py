"""Writes a demo workspace into an empty installation, many rows at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from secrets import token_hex

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import passwords
from app.accounts.house import House
from app.accounts.models import ApiKey, Group, Membership, User, UserRole
from app.catalog.models import Connection, Model
from app.chats.models import Chat, Message, MessageRole, MessageStatus
from app.commands.made_up import (
    ANSWER,
    CONNECTIONS,
    GROUPS,
    MODELS,
    QUESTION,
    TITLES,
    MadeUpPerson,
    calls_by_day,
    liked_models,
    name_of,
)
from app.core.clock import now
from app.core.database import Database
from app.core.ids import new_id
from app.usage import rollups
from app.usage.ledger import Entry
from app.usage.models import LedgerEntry, Outcome

SEED = 20_261_121
DAYS_WITH_CONVERSATIONS = 14
"""Of older conversations only the use is kept, as if they had been deleted."""
DAYS_PER_WRITE = 7


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
    async with house.database.writing() as session:
        users = await _add_users(session, people, password_hash)
        await _add_catalog(session)
        made_up = await _add_groups_and_keys(session, users, chance)
    conversations = written = 0
    today = now().date()
    waiting: list[Entry] = []
    for day, calls in calls_by_day(made_up, requests, today, chance):
        waiting += calls
        is_recent = (today - day).days < DAYS_WITH_CONVERSATIONS
        if is_recent or (today - day).days % DAYS_PER_WRITE == 0:
            async with house.database.writing() as session:
                await _add_calls(session, waiting)
                conversations += await _add_conversations(session, calls if is_recent else ())
            written += len(waiting)
            waiting = []
    return Seeded(len(users), conversations, written, users[0].username, password)


async def _add_users(session: AsyncSession, count: int, password_hash: str) -> list[User]:
    """The first of them administers."""
    joined = now() - timedelta(days=400)
    users = []
    for number in range(count):
        name = name_of(number)
        username = name.lower().replace(" ", ".")
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


async def _add_groups_and_keys(
    session: AsyncSession, users: Sequence[User], chance: Random
) -> list[MadeUpPerson]:
    """Everybody is in one group, whose first member manages it; every fifth person has a key for scripts."""
    groups = [Group(id=new_id(), name=name, handle=name.casefold()) for name in GROUPS]
    session.add_all(groups)
    await session.flush()
    people = []
    for number, user in enumerate(users):
        paying = groups[number % len(groups)]
        is_manager = number < len(groups)
        session.add(Membership(user_id=user.id, group_id=paying.id, is_main=True, is_manager=is_manager))
        key = _key_of(user) if number % 5 == 0 else None
        if key is not None:
            session.add(key)
        people.append(MadeUpPerson(user.id, paying.id, key.id if key else None, liked_models(chance)))
    return people


def _key_of(user: User) -> ApiKey:
    """A key that nobody holds: its hash is the hash of nothing."""
    return ApiKey(
        id=new_id(),
        user_id=user.id,
        name="Nightly evaluation",
        prefix=f"demo-{user.id[-4:]}",
        key_hash=token_hex(32),
    )


async def _add_calls(session: AsyncSession, calls: Sequence[Entry]) -> None:
    """Like `ledger.record`, for entries that are dated and priced already."""
    if calls:
        await session.execute(insert(LedgerEntry), [{"id": new_id(), **vars(call)} for call in calls])
        await rollups.add(session, calls)


async def _add_conversations(session: AsyncSession, calls: Iterable[Entry]) -> int:
    """The conversations behind these calls, with a question and an answer for each; how many are new."""
    by_chat: dict[str, list[Entry]] = {}
    for call in calls:
        kind, _, chat_id = call.origin.partition(":")
        if kind == "chat":
            by_chat.setdefault(chat_id, []).append(call)
    count = 0
    for chat_id, answered in by_chat.items():
        chat = await session.get(Chat, chat_id)
        if chat is None:
            chat = _chat(chat_id, answered[0])
            session.add(chat)
            await session.flush()
            count += 1
        depth = await session.scalar(select(func.count()).where(Message.chat_id == chat_id)) or 0
        for number, call in enumerate(answered):
            _add_exchange(session, chat, call, depth + 2 * number)
    await session.flush()
    return count


def _chat(chat_id: str, call: Entry) -> Chat:
    title = TITLES[sum(chat_id.encode()) % len(TITLES)]
    return Chat(
        id=chat_id,
        owner_id=call.user_id,
        title=title,
        model="echo/echo",
        created_at=call.at,
        last_activity_at=call.at,
    )


def _add_exchange(session: AsyncSession, chat: Chat, call: Entry, depth: int) -> None:
    question = Message(
        id=new_id(),
        chat_id=chat.id,
        parent_id=chat.tip_id,
        depth=depth,
        role=MessageRole.USER,
        author_id=call.user_id,
        content=QUESTION.format(number=call.input_tokens),
        created_at=call.at,
    )
    reply = Message(
        id=new_id(),
        chat_id=chat.id,
        parent_id=question.id,
        depth=depth + 1,
        role=MessageRole.ASSISTANT,
        model=f"{call.connection}/{call.model}",
        content=ANSWER.format(number=call.output_tokens),
        status=MessageStatus(call.outcome.value),
        input_tokens=call.input_tokens,
        cached_tokens=call.cache_read_tokens,
        output_tokens=call.output_tokens,
        reasoning_tokens=call.reasoning_tokens,
        tokens_are_estimated=call.outcome is not Outcome.FINISHED,
        cost_micros=call.cost_micros,
        created_at=call.at,
        finished_at=call.at + timedelta(milliseconds=call.total_ms),
    )
    session.add_all([question, reply])
    chat.tip_id, chat.last_activity_at = reply.id, call.at
