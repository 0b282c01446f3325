"""Keys are known from memory, and never a moment too long."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from httpx import ASGITransport
from sqlalchemy import event, update

from app.accounts import api_keys, audit, doorkeeper, service_accounts
from app.accounts.doorkeeper import Doorkeeper
from app.accounts.house import House
from app.accounts.identity import Credentials
from app.accounts.key_rules import Rules, Scope, ranges_from
from app.accounts.models import ApiKey, User
from app.core.clock import now
from app.core.crypto import keyed_hash
from app.core.database import Database
from tests.cast import BASE_URL, Cast, Person
from tests.waiting import until


async def key_of(house: House, person: Person, rules: Rules | None = None) -> api_keys.NewKey:
    async with house.database.writing() as session:
        owner = await session.get_one(User, person.id)
        act = audit.Act(owner)
        return await api_keys.create(
            session, owner, house.signing_key, act, name="Script", rules=rules or Rules()
        )


async def revoke(database: Database, person: Person, *keys: api_keys.NewKey) -> None:
    async with database.writing() as session:
        owner = await session.get_one(User, person.id)
        for key in keys:
            await api_keys.revoke(session, owner, key.row.id, audit.Act(audit.COMMAND_LINE))


async def asks(
    app: FastAPI, secret: str, address: str = "127.0.0.1", path: str = "/api/me"
) -> httpx.Response:
    transport = ASGITransport(app, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as script:
        return await script.get(path, headers={"x-api-key": secret})


def code_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@contextmanager
def statements_of(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def test_a_key_that_was_seen_before_costs_no_statement(app: FastAPI, cast: Cast, house: House) -> None:
    key = await key_of(house, cast.bob)
    with statements_of(house.database) as first:
        assert (await asks(app, key.secret)).json()["username"] == "bob"
    with statements_of(house.database) as later:
        assert (await asks(app, key.secret)).json()["username"] == "bob"

    assert first
    assert later == []


async def test_a_strangers_key_is_refused(app: FastAPI, cast: Cast) -> None:
    refused = await asks(app, "parley_of-somebody-else")

    assert code_of(refused) == (401, "invalid_api_key")
    assert "parley_of" not in refused.text
    assert refused.headers["www-authenticate"].startswith("Bearer")


async def test_a_revoked_key_says_so_to_whoever_holds_it(app: FastAPI, cast: Cast, house: House) -> None:
    key = await key_of(house, cast.bob)
    assert (await asks(app, key.secret)).status_code == 200

    await cast.bob.client.delete(f"/api/keys/{key.row.id}")

    assert code_of(await asks(app, key.secret)) == (401, "key_revoked")
    assert code_of(await asks(app, key.secret[:-1])) == (401, "invalid_api_key")


async def test_a_key_expires_by_the_clock_though_it_is_known(
    app: FastAPI, cast: Cast, house: House, keeper: Doorkeeper
) -> None:
    end = now() + timedelta(hours=1)
    key = await key_of(house, cast.bob, Rules(expires_at=end))
    assert (await asks(app, key.secret)).status_code == 200

    with pytest.raises(Exception, match="expired on") as refused:
        await keeper.authenticate(Credentials(key=key.secret), end)

    assert getattr(refused.value, "code", "") == "key_expired"


async def test_a_key_of_a_disabled_account_is_refused(app: FastAPI, cast: Cast, house: House) -> None:
    key = await key_of(house, cast.bob)
    assert (await asks(app, key.secret)).status_code == 200

    await cast.alice.client.post(f"/admin/users/{cast.bob.id}/disable")
    assert code_of(await asks(app, key.secret)) == (401, "account_disabled")

    await cast.alice.client.post(f"/admin/users/{cast.bob.id}/enable")
    assert (await asks(app, key.secret)).status_code == 200


async def test_a_key_is_kept_to_its_addresses(app: FastAPI, cast: Cast, house: House) -> None:
    key = await key_of(house, cast.bob, Rules(ranges=ranges_from(["192.0.2.0/24"])))

    assert (await asks(app, key.secret, "192.0.2.7")).status_code == 200
    refused = await asks(app, key.secret, "198.51.100.1")

    assert code_of(refused) == (403, "address_not_allowed")
    assert "198.51.100.1" in refused.text


async def test_a_key_is_kept_to_its_scopes(app: FastAPI, cast: Cast, house: House) -> None:
    key = await key_of(house, cast.alice, Rules(scopes=frozenset({Scope.USAGE})))

    assert (await asks(app, key.secret, path="/api/usage")).status_code == 200
    refused = await asks(app, key.secret, path="/api/chats")
    administers = await asks(app, key.secret, path="/api/usage/workspace")

    assert code_of(refused) == code_of(administers) == (403, "scope_missing")
    assert "“chat”" in refused.text


async def test_a_key_that_does_not_administer_sees_no_group_s_usage(
    app: FastAPI, cast: Cast, house: House
) -> None:
    made = await cast.alice.client.post("/admin/groups", data={"name": "Design"})
    path = f"/api/usage/groups/{made.headers['location'].rpartition('/')[2]}"
    reads = await key_of(house, cast.alice, Rules(scopes=frozenset({Scope.USAGE})))
    administers = await key_of(house, cast.alice, Rules(scopes=frozenset({Scope.USAGE, Scope.ADMIN})))

    assert (await asks(app, administers.secret, path=path)).status_code == 200
    assert (await asks(app, reads.secret, path=path)).status_code == 404


async def test_who_is_an_administrator_no_more_administers_with_no_key(
    app: FastAPI, cast: Cast, house: House
) -> None:
    await cast.alice.client.post(f"/admin/users/{cast.bob.id}/role", data={"role": "administrator"})
    key = await key_of(house, cast.bob, Rules(scopes=frozenset(Scope)))
    assert (await asks(app, key.secret, path="/api/usage/workspace")).status_code == 200

    await cast.alice.client.post(f"/admin/users/{cast.bob.id}/role", data={"role": "member"})

    assert (await asks(app, key.secret, path="/api/usage/workspace")).status_code == 404


async def test_keys_from_before_hashes_had_a_key_of_their_own_stay_good(
    app: FastAPI, cast: Cast, house: House
) -> None:
    key = await key_of(house, cast.bob)
    old = keyed_hash(house.signing_key, key.secret)
    assert old != key.row.key_hash
    async with house.database.writing() as session:
        await session.execute(update(ApiKey).values(key_hash=old))

    assert (await asks(app, key.secret)).json()["username"] == "bob"


async def test_the_last_use_is_noted_later_and_upsets_nobody(
    app: FastAPI, cast: Cast, house: House, keeper: Doorkeeper
) -> None:
    key = await key_of(house, cast.bob)
    await asks(app, key.secret)
    generation = house.database.changes.generation()

    await keeper.note_uses()

    async with house.database.reading() as session:
        last_used_at = (await session.get_one(ApiKey, key.row.id)).last_used_at
    assert last_used_at is not None
    assert now() - last_used_at < timedelta(minutes=1)
    assert house.database.changes.generation() == generation


async def test_what_is_under_way_with_a_key_is_ended_when_it_is_revoked(
    cast: Cast, house: House, keeper: Doorkeeper
) -> None:
    mine, other = await key_of(house, cast.bob), await key_of(house, cast.bob)
    left: list[str] = []
    callers = [await keeper.authenticate(Credentials(key=key.secret), now()) for key in (mine, other)]
    assert callers[0] is not None
    assert callers[1] is not None
    with (
        keeper.inside(callers[0].caller, lambda _: left.append("mine")),
        keeper.inside(callers[1].caller, lambda _: left.append("other")),
    ):
        await cast.bob.client.delete(f"/api/keys/{mine.row.id}")

        assert await until(lambda: found_in(left))
    assert set(left) == {"mine"}


async def test_a_key_that_another_process_revoked_is_noticed(
    app: FastAPI, cast: Cast, house: House, keeper: Doorkeeper
) -> None:
    key = await key_of(house, cast.bob)
    found = await keeper.authenticate(Credentials(key=key.secret), now())
    assert found is not None
    left: list[str] = []
    elsewhere = Database(house.settings.resolved_database_url)

    with keeper.inside(found.caller, lambda _: left.append("gone")):
        await revoke(elsewhere, cast.bob, key)

        assert code_of(await asks(app, key.secret)) == (401, "key_revoked")
        assert await until(lambda: found_in(left))
    await elsewhere.close()


async def test_a_disabled_program_is_shown_out(house: House, cast: Cast, keeper: Doorkeeper) -> None:
    act = audit.Act(audit.COMMAND_LINE)
    async with house.database.writing() as session:
        account = await service_accounts.create(session, "Nightly evaluation", act)
        made = await api_keys.create(session, account, house.signing_key, act, name="Cron")
    found = await keeper.authenticate(Credentials(key=made.secret), now())
    assert found is not None
    left: list[str] = []
    with keeper.inside(found.caller, lambda _: left.append("gone")):
        async with house.database.writing() as session:
            await service_accounts.disable(session, await service_accounts.by_id(session, account.id), act)

        assert await until(lambda: found_in(left))


def test_a_look_is_taken_several_times_a_second() -> None:
    # "Within a second" is a promise: the round, the commit and the hanging up share it.
    assert doorkeeper.SECONDS_BETWEEN_LOOKS <= 0.3


async def found_in(left: list[str]) -> list[str]:
    return left
