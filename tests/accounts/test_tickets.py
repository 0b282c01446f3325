"""Tickets open one socket, once, for who asked for them; the socket's own stories are in tests/chats."""

import asyncio
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from app.accounts import housekeeping, tickets
from app.accounts.identity import Identity
from app.accounts.models import ApiKey, Ticket, User
from app.accounts.tickets import MOST_AT_ONCE, TicketNotGood
from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from tests.cast import Cast, Person


async def ticket_of(person: Person) -> str:
    made = await person.client.post("/api/tickets")
    assert made.status_code == 201, made.text
    return str(made.json()["ticket"])


async def redeem(app: FastAPI, secret: str, address: str = "127.0.0.1") -> Identity:
    state = app.state
    return await tickets.redeem(state.database, secret, state.secrets.signing_key, address)


async def test_a_ticket_says_once_who_asked_for_it(app: FastAPI, cast: Cast, database: Database) -> None:
    secret = await ticket_of(cast.bob)
    async with database.reading() as session:
        stored = await session.scalar(select(Ticket.token_hash))

    assert (await redeem(app, secret)).user.id == cast.bob.id
    assert stored is not None
    assert secret not in stored
    with pytest.raises(TicketNotGood, match="once, within a minute"):
        await redeem(app, secret)


async def test_a_ticket_lives_for_a_minute(app: FastAPI, cast: Cast, database: Database) -> None:
    secret = await ticket_of(cast.bob)
    async with database.writing() as session:
        await session.execute(update(Ticket).values(expires_at=now() - timedelta(seconds=1)))

    with pytest.raises(TicketNotGood):
        await redeem(app, secret)


async def test_a_ticket_ends_with_the_session_that_asked(app: FastAPI, cast: Cast) -> None:
    secret = await ticket_of(cast.bob)
    await cast.bob.client.post("/logout")

    with pytest.raises(TicketNotGood):
        await redeem(app, secret)


async def test_a_ticket_of_a_key_may_do_no_more_than_the_key(
    app: FastAPI, cast: Cast, database: Database
) -> None:
    key = (await cast.bob.client.post("/api/keys", json={"name": "Tools", "scopes": ["chat"]})).json()
    headers = {"x-api-key": key["secret"]}
    made = await cast.bob.client.post("/api/tickets", headers=headers)
    second = await cast.bob.client.post("/api/tickets", headers=headers)

    identity = await redeem(app, made.json()["ticket"])
    async with database.writing() as session:
        await session.execute(update(ApiKey).values(revoked_at=now()))

    assert identity.api_key_id is not None
    assert identity.caller.scopes == {"chat"}
    with pytest.raises(TicketNotGood):
        await redeem(app, second.json()["ticket"])


async def test_a_disabled_account_has_no_tickets(app: FastAPI, cast: Cast, database: Database) -> None:
    secret = await ticket_of(cast.bob)
    async with database.writing() as session:
        (await session.get_one(User, cast.bob.id)).disabled_at = now()

    with pytest.raises(TicketNotGood):
        await redeem(app, secret)


async def test_nobody_heaps_tickets_up(cast: Cast, database: Database) -> None:
    for _ in range(MOST_AT_ONCE):
        await ticket_of(cast.bob)

    one_more = await cast.bob.client.post("/api/tickets")
    async with database.writing() as session:
        await session.execute(update(Ticket).values(expires_at=now() - timedelta(seconds=1)))
    await ticket_of(cast.bob)

    assert one_more.status_code == 429
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 1


async def test_what_nobody_used_is_tidied_away(cast: Cast, database: Database) -> None:
    await ticket_of(cast.bob)
    async with database.writing() as session:
        await session.execute(update(Ticket).values(expires_at=now() - timedelta(seconds=1)))

    await housekeeping.tidy(database)

    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 0


async def one_of_many_gets_in(app: FastAPI, cast: Cast) -> None:
    secret = await ticket_of(cast.bob)

    tries = await asyncio.gather(*(redeem(app, secret) for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(each, Identity) for each in tries) == 1
    assert sum(isinstance(each, TicketNotGood) for each in tries) == 7


async def test_of_many_who_show_the_same_ticket_one_gets_in(app: FastAPI, cast: Cast) -> None:
    await one_of_many_gets_in(app, cast)


class TestOnPostgres:
    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return settings.model_copy(update={"database_url": postgres_with_tables})

    async def test_of_many_who_show_the_same_ticket_one_gets_in(self, app: FastAPI, cast: Cast) -> None:
        await one_of_many_gets_in(app, cast)
