"""For stories of calls that become conversations: keys that wish it, and what Bob then has."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI

from app.accounts.key_rules import Rules
from app.chats import accounting
from app.core.clock import now
from app.core.database import Database
from app.usage import verification
from tests.cast import Cast, Person
from tests.providers.fake_server import FakeServer
from tests.v1.conftest import Connect, Entries, MakeKey
from tests.v1.vendors import CLAUDE, COMPATIBLE, LLAMA, RESPONDING

Json = dict[str, Any]
Stored = Callable[..., Awaitable[list[Json]]]
Said = Callable[[Json], Awaitable[list[Json]]]
BooksAgree = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
async def connected(connect: Connect, vendor: FakeServer) -> None:
    await connect("practice", "echo", "echo-fast")
    await connect(COMPATIBLE.kind, COMPATIBLE.kind, "m", base_url=f"{vendor.url}/v1")
    await connect(RESPONDING.kind, RESPONDING.kind, "m", base_url=f"{vendor.url}/v1")
    await connect(CLAUDE.kind, CLAUDE.kind, "m", base_url=vendor.url)
    await connect(LLAMA.kind, LLAMA.kind, "m", base_url=vendor.url)


@pytest.fixture
async def storing_key(make_key: MakeKey) -> str:
    return await make_key(Rules(stores_calls=True))


@pytest.fixture
def chats(cast: Cast, app: FastAPI) -> Stored:
    """`await chats(2)`: Bob's conversations as soon as there are so many."""

    async def find(count: int = 1, person: Person = cast.bob) -> list[Json]:
        await app.state.recorder.drain(5)
        found: list[Json] = (await person.client.get("/api/chats")).json()["chats"]
        assert len(found) == count
        return found

    return find


@pytest.fixture
def said(cast: Cast, app: FastAPI) -> Said:
    async def find(chat: Json) -> list[Json]:
        await app.state.recorder.drain(5)
        found: list[Json] = (await cast.bob.client.get(f"/api/chats/{chat['id']}/messages")).json()[
            "messages"
        ]
        return found

    return find


@pytest.fixture
def books_agree(database: Database, entries: Entries) -> BooksAgree:
    async def check() -> None:
        await entries()
        async with database.reading() as session:
            assert await verification.disagreements(session, now()) == []
            assert await accounting.differences(session) == []

    return check
