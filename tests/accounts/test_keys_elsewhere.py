"""What other processes did to a key is known at once: PostgreSQL tells, and while it cannot, nothing is trusted."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.accounts import api_keys, audit
from app.accounts.doorkeeper import Doorkeeper
from app.accounts.house import House
from app.accounts.identity import Credentials
from app.accounts.models import User
from app.core.changes import Kept
from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from tests.accounts.test_doorkeeper import asks, code_of, found_in, key_of, revoke
from tests.cast import Cast, Person
from tests.live.test_hub import CUT_OFF
from tests.postgres import PostgresServer
from tests.proxy import Proxy, proxy_to
from tests.waiting import until

PATIENCE = 60


class TestOnALineThatWorks:
    """Or breaks, and says so."""

    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return settings.model_copy(update={"database_url": postgres_with_tables})

    async def test_a_key_that_another_process_revoked_is_noticed(
        self, app: FastAPI, cast: Cast, house: House, keeper: Doorkeeper
    ) -> None:
        key = await key_of(house, cast.bob)
        found = await keeper.authenticate(Credentials(key=key.secret), now())
        assert found is not None
        left: list[str] = []
        elsewhere = Database(house.settings.resolved_database_url)

        with keeper.inside(found.caller, lambda _: left.append("gone")):
            await revoke(elsewhere, cast.bob, key)

            assert await until(lambda: found_in(left))
        assert code_of(await asks(app, key.secret)) == (401, "key_revoked")
        await elsewhere.close()

    async def test_a_key_that_was_revoked_while_nobody_could_tell_is_good_no_more(
        self, app: FastAPI, cast: Cast, house: House, postgres_with_tables: str
    ) -> None:
        key = await key_of(house, cast.bob)
        assert (await asks(app, key.secret)).status_code == 200
        elsewhere = Database(postgres_with_tables)

        async with elsewhere.writing() as session:
            owner = await session.get_one(User, cast.bob.id)
            await api_keys.revoke(session, owner, key.row.id, audit.Act(audit.COMMAND_LINE))
            await session.flush()
            await session.execute(text(CUT_OFF))

        assert code_of(await asks(app, key.secret)) == (401, "key_revoked")
        await elsewhere.close()


class TestOnALineThatWentDead:
    """PostgreSQL, where the network swallows what other processes tell, and says nothing."""

    @pytest.fixture
    async def line(self, postgres_server: PostgresServer) -> AsyncIterator[Proxy]:
        async with proxy_to(postgres_server.port, b"parley hub") as proxy:
            yield proxy

    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str, line: Proxy) -> Settings:
        url = make_url(postgres_with_tables).set(port=line.port).render_as_string()
        return settings.model_copy(update={"database_url": url})

    async def test_nothing_that_is_kept_is_trusted(
        self, app: FastAPI, cast: Cast, house: House, keeper: Doorkeeper, line: Proxy
    ) -> None:
        key, other = await key_of(house, cast.bob), await key_of(house, cast.bob)
        found = await keeper.authenticate(Credentials(key=key.secret), now())
        assert found is not None
        assert (await asks(app, other.secret)).status_code == 200
        left: list[str] = []
        elsewhere = Database(house.settings.resolved_database_url)

        line.freeze()
        await until(lambda: deaf(app), PATIENCE)
        with keeper.inside(found.caller, lambda _: left.append("gone")):
            await revoke(elsewhere, cast.bob, key, other)
            assert code_of(await asks(app, key.secret)) == (401, "key_revoked")
            assert await until(lambda: found_in(left), PATIENCE)

        line.thaw()
        assert await until(lambda: hears(app), PATIENCE)
        assert code_of(await asks(app, other.secret)) == (401, "key_revoked")
        await elsewhere.close()

    async def test_what_was_kept_before_is_dropped_though_nobody_asked_meanwhile(
        self, app: FastAPI, cast: Cast, house: House, line: Proxy
    ) -> None:
        kept = Kept(house.database.changes, lambda _: name_of(house.database, cast.bob))
        assert await kept.get("") == "Bob Archer"
        elsewhere = Database(house.settings.resolved_database_url)
        lost = app.state.hub.hearing()

        line.freeze()
        async with elsewhere.writing() as session:
            (await session.get_one(User, cast.bob.id)).name = "Robert"
        await until(lambda: deaf(app), PATIENCE)
        line.thaw()

        await until(lambda: hears(app, other_than=lost), PATIENCE)
        assert await kept.get("") == "Robert"
        await elsewhere.close()


async def name_of(database: Database, person: Person) -> str:
    async with database.reading() as session:
        return (await session.get_one(User, person.id)).name


async def deaf(app: FastAPI) -> bool:
    return app.state.hub.hearing() is None


async def hears(app: FastAPI, other_than: int | None = None) -> bool:
    return app.state.hub.hearing() not in (None, other_than)
