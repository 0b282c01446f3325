"""Publish and subscribe, within one process and across several over a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from psycopg import AsyncConnection
from sqlalchemy.engine import make_url

from app.accounts.models import Group
from app.core.changes import CHANNEL
from app.core.database import Database
from app.live.hub import LONGEST_QUEUE, Event, Hub, Lagged, Subscription
from app.live.postgres import SECONDS_TRUSTED, PostgresHub
from tests.postgres import PostgresServer
from tests.proxy import proxy_to
from tests.waiting import until

PATIENCE = 60
CUT_OFF = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE application_name = 'parley hub' AND datname = current_database()"
)


async def next_of(subscription: Subscription) -> Event:
    async with asyncio.timeout(PATIENCE):
        return await subscription.next()


@asynccontextmanager
async def two_hubs(url: str) -> AsyncIterator[tuple[PostgresHub, PostgresHub]]:
    here, there = PostgresHub(url), PostgresHub(url)
    await here.start()
    await there.start()
    try:
        yield here, there
    finally:
        await here.stop()
        await there.stop()


async def test_only_those_who_listen_to_a_stream_hear_it() -> None:
    hub = Hub()
    with hub.subscribe("chat:1", "chat:2") as listening, hub.subscribe("chat:3") as elsewhere:
        hub.publish("chat:2", {"n": 1})

        assert await next_of(listening) == {"n": 1}
        hub.publish("chat:3", {"n": 2})
        assert await next_of(elsewhere) == {"n": 2}, "and nothing before that"


async def test_who_does_not_keep_up_learns_it_once() -> None:
    hub = Hub()
    with hub.subscribe("chat:1") as slow:
        for number in range(LONGEST_QUEUE + 1):
            hub.publish("chat:1", {"n": number})

        with pytest.raises(Lagged):
            await next_of(slow)
        hub.publish("chat:1", {"n": "new"})
        assert await next_of(slow) == {"n": "new"}


async def test_who_waits_learns_at_once_that_something_was_lost() -> None:
    hub = Hub()
    with hub.subscribe("chat:1") as waiting:
        soon = asyncio.create_task(next_of(waiting))
        await asyncio.sleep(0)
        hub.lag_everybody()

        with pytest.raises(Lagged):
            await soon


async def test_another_process_hears_everything_once_and_in_order(postgres_url: str) -> None:
    async with two_hubs(postgres_url) as (here, there):
        with there.subscribe("reply:1") as far, here.subscribe("reply:1") as near:
            for number in range(200):
                here.publish("reply:1", {"n": number})
            assert [(await next_of(near))["n"] for _ in range(200)] == list(range(200))
            assert [(await next_of(far))["n"] for _ in range(200)] == list(range(200))

            there.publish("reply:1", {"n": "back"})
            assert await next_of(near) == {"n": "back"}, "its own came to it once only"


@pytest.mark.parametrize("payload", ["Hello?", "a 1 0 1 {", "a 1 0 1 2"])
async def test_what_somebody_else_says_on_our_channel_deafens_nobody(postgres_url: str, payload: str) -> None:
    async with two_hubs(postgres_url) as (here, there):
        with there.subscribe("reply:1") as far:
            async with await AsyncConnection.connect(postgres_url) as stranger:
                await stranger.execute("SELECT pg_notify('parley', %s)", (payload,))
            with pytest.raises(Lagged):
                await next_of(far)
            here.publish("reply:1", {"n": 1})

            assert await next_of(far) == {"n": 1}


async def test_what_the_database_tells_on_a_channel_is_heard_once_it_is_committed(
    postgres_with_tables: str,
) -> None:
    news = asyncio.Event()
    hub, elsewhere = PostgresHub(postgres_with_tables, {CHANNEL: news.set}), Database(postgres_with_tables)
    await hub.start()
    try:
        async with elsewhere.writing() as session:
            session.add(Group(name="Design", handle="design"))
            await session.flush()
            assert not news.is_set()
        async with asyncio.timeout(PATIENCE):
            await news.wait()
    finally:
        await elsewhere.close()
        await hub.stop()


async def test_large_events_arrive_whole(postgres_url: str) -> None:
    text = "世界 naïve 🌍 " * 5_000
    async with two_hubs(postgres_url) as (here, there):
        with there.subscribe("reply:1") as far:
            here.publish("reply:1", {"text": text})

            assert await next_of(far) == {"text": text}


async def test_what_was_said_last_is_still_sent_when_a_process_stops(postgres_url: str) -> None:
    async with two_hubs(postgres_url) as (here, there):
        with there.subscribe("reply:1") as far:
            here.publish("reply:1", {"ended": "finished"})
            await here.stop()

            assert await next_of(far) == {"ended": "finished"}


async def test_after_the_database_restarts_everybody_looks_again_and_events_flow(
    postgres_server: PostgresServer,
    postgres_url: str,
) -> None:
    async with two_hubs(postgres_url) as (here, there):
        with there.subscribe("reply:1") as far:
            await asyncio.to_thread(postgres_server.stop)
            here.publish("reply:1", {"n": "while it was away"})
            await asyncio.to_thread(postgres_server.start)

            with pytest.raises(Lagged):
                await next_of(far)
            for number in range(100):
                here.publish("reply:1", {"n": number})
            heard = await next_of(far)
            while heard["n"] != 99:
                heard = await next_of(far)


async def test_a_line_that_was_cut_is_another_one_when_it_is_back(postgres_url: str) -> None:
    async with two_hubs(postgres_url) as (here, _), await AsyncConnection.connect(postgres_url) as database:
        first = here.hearing()
        assert first is not None
        with here.subscribe("reply:1") as listening:
            await database.execute(CUT_OFF)

            with pytest.raises(Lagged):
                await next_of(listening)
        assert (await until(lambda: heard_by(here)))[0] != first


async def test_a_line_that_went_dead_without_a_word_is_noticed_and_replaced(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with proxy_to(postgres_server.port, b"parley hub") as proxy:
        url = make_url(postgres_url).set(port=proxy.port).render_as_string()
        async with two_hubs(url) as (here, there):
            with there.subscribe("reply:1") as far:
                proxy.freeze()
                assert await until(lambda: deaf(there), PATIENCE)
                here.publish("reply:1", {"n": "while it was dead"})
                proxy.thaw()

                with pytest.raises(Lagged):
                    await next_of(far)
                assert await until(lambda: heard_by(there), PATIENCE)
                await until(lambda: heard_by(here), PATIENCE)
                here.publish("reply:1", {"n": "last"})
                heard = await next_of(far)
                while heard["n"] != "last":
                    heard = await next_of(far)


async def test_a_silent_line_that_is_alive_stays_the_same(postgres_url: str) -> None:
    async with two_hubs(postgres_url) as (here, _):
        first = await until(lambda: heard_by(here))
        await asyncio.sleep(3 * SECONDS_TRUSTED)

        assert await until(lambda: heard_by(here)) == first


async def heard_by(hub: PostgresHub) -> tuple[int] | None:
    """The number of its line, while it is known to be alive."""
    number = hub.hearing()
    return None if number is None else (number,)


async def deaf(hub: PostgresHub) -> bool:
    return hub.hearing() is None


async def test_a_database_that_is_not_there_is_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.live.postgres.SECONDS_TO_START", 0.3)
    hub = PostgresHub("postgresql://parley@127.0.0.1:1/parley")

    with pytest.raises(TimeoutError):
        await hub.start()
    await hub.stop()
