"""Who is turned away, on each surface alike, and in the words of its clients."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.accounts.doorkeeper import Doorkeeper
from app.accounts.key_rules import Rules, Scope
from app.accounts.models import ApiKey
from app.catalog.models import Model
from app.core.clock import now
from app.core.database import Database
from tests.cast import Cast, Visitor
from tests.v1.clients import ANTHROPIC, COUNTING, EMBEDDING, EVERY, NATIVE, OLLAMA, OPENAI, RESPONSES, Client
from tests.v1.conftest import Connect, Entries, MakeKey, OnlyEntry

MODEL = "practice/echo-fast"
SECRET = "practice/secret"
UNHEARD_OF = "practice/unheard-of"
PROMPT = "The harbour's salaries"
LISTS = ("/v1/models", "/ollama/api/tags", "/api/models")
SECONDS_TO_LEAVE = 25.0
"""Echo stalls for longer."""


@pytest.fixture(autouse=True)
async def practice(connect: Connect, database: Database) -> None:
    """Echo for everybody, and one of its models for a group that nobody is in."""
    await connect("practice", "echo", "echo-fast", "echo-slow", "secret")
    async with database.writing() as session:
        secret = (await session.scalars(select(Model).where(Model.name == "secret"))).one()
        secret.is_restricted = True


async def ask(visitor: Visitor, client: Client, key: str | None, model: str = MODEL) -> httpx.Response:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return await visitor.post(client.path, json=client.asking(model, PROMPT), headers=headers)


async def is_turned_away(
    visitor: Visitor, key: str | None, status: int, *, by: tuple[Client, ...] = EVERY, model: str = MODEL
) -> None:
    """The same at each door, in its own words, without a word of what was asked; both ways to send a key count."""
    for client in by:
        response = await ask(visitor, client, key, model)
        kind, sentence = client.complaint(response.json())

        assert response.status_code == status, client.name
        assert sentence.endswith("."), client.name
        assert PROMPT not in response.text
        assert key is None or key not in response.text
        assert response.headers["x-should-retry"] == "false"
        if key is not None:
            body = client.asking(model, PROMPT)
            other_way = await visitor.post(client.path, json=body, headers={"x-api-key": key})
            assert (other_way.status_code, client.complaint(other_way.json())) == (status, (kind, sentence))


async def only_key(database: Database) -> ApiKey:
    async with database.reading() as session:
        return (await session.scalars(select(ApiKey))).one()


@pytest.fixture
async def unspent(entries: Entries) -> AsyncIterator[None]:
    """Whoever was turned away is in no ledger."""
    yield
    assert await entries() == []


async def test_whoever_holds_a_key_comes_in(client: Visitor, key: str) -> None:
    for surface in EVERY:
        response = await ask(client, surface, key)
        assert response.status_code == 200, (surface.name, response.text)


@pytest.mark.usefixtures("unspent")
class TestTurnedAway:
    async def test_without_a_key(self, client: Visitor, cast: Cast) -> None:
        await is_turned_away(client, None, 401)

    async def test_with_a_key_that_nobody_has(self, client: Visitor, cast: Cast) -> None:
        await is_turned_away(client, "parley_" + "x" * 40, 401)
        await is_turned_away(client, "sk-proj-nonsense", 401)

    async def test_with_a_revoked_key(
        self, client: Visitor, cast: Cast, database: Database, key: str
    ) -> None:
        made = await only_key(database)
        await cast.bob.client.post(f"/settings/keys/{made.id}/revoke")

        await is_turned_away(client, key, 401)

    async def test_with_a_key_that_has_expired(self, client: Visitor, make_key: MakeKey) -> None:
        await is_turned_away(client, await make_key(Rules(expires_at=now() - timedelta(seconds=1))), 401)

    async def test_with_the_key_of_a_disabled_account(self, client: Visitor, cast: Cast, key: str) -> None:
        done = await cast.alice.client.post(f"/admin/users/{cast.bob.id}/disable")
        assert done.status_code == 303

        await is_turned_away(client, key, 401)

    async def test_with_a_key_for_something_else(self, client: Visitor, make_key: MakeKey) -> None:
        talking = tuple(door for door in EVERY if door not in EMBEDDING)

        await is_turned_away(
            client, await make_key(Rules(scopes=frozenset({Scope.EMBEDDINGS, Scope.USAGE}))), 403, by=talking
        )
        await is_turned_away(client, await make_key(Rules(scopes=frozenset({Scope.CHAT}))), 403, by=EMBEDDING)

    async def test_from_elsewhere(self, client: Visitor, make_key: MakeKey) -> None:
        await is_turned_away(client, await make_key(Rules(ranges=(ip_network("192.0.2.0/24"),))), 403)

    async def test_with_a_key_that_is_kept_to_another_model(self, client: Visitor, make_key: MakeKey) -> None:
        kept = await make_key(Rules(models=frozenset({"practice/echo-slow"})))
        asking = tuple(door for door in EVERY if door is not COUNTING)

        await is_turned_away(client, kept, 403, by=asking)
        # Where nothing is generated, a model that the key is not made for is simply none.
        await is_turned_away(client, kept, 404, by=(COUNTING,))

    async def test_from_a_model_that_others_may_use(self, client: Visitor, key: str) -> None:
        """It is not there, in the very words for one that never was."""
        for surface in EVERY:
            hidden = await ask(client, surface, key, SECRET)
            missing = await ask(client, surface, key, UNHEARD_OF)
            kind, sentence = surface.complaint(hidden.json())

            assert hidden.status_code == missing.status_code == 404, surface.name
            assert surface.complaint(missing.json()) == (kind, sentence.replace(SECRET, UNHEARD_OF))


async def test_lists_name_only_what_a_key_may_use(client: Visitor, make_key: MakeKey) -> None:
    kept = await make_key(Rules(models=frozenset({"practice/echo-slow"})))

    for path in LISTS:
        listed = (await client.get(path, headers={"x-api-key": kept})).text
        assert "echo-slow" in listed, path
        assert "echo-fast" not in listed, path
        assert "secret" not in listed, path


@pytest.mark.parametrize("surface", [OPENAI, ANTHROPIC, OLLAMA, RESPONSES], ids=lambda client: client.name)
async def test_a_key_that_is_revoked_ends_what_is_under_way(
    address: str, cast: Cast, database: Database, key: str, surface: Client, only_entry: OnlyEntry
) -> None:
    made = await only_key(database)
    body = surface.asking("practice/echo-fast", "/stall one two three four", streaming=True)
    received = ""

    async with (
        httpx.AsyncClient(base_url=address, headers={"x-api-key": key}) as program,
        program.stream("POST", surface.path, json=body) as stream,
    ):
        pieces = stream.aiter_text()
        while "two" not in received:
            received += await anext(pieces)
        await cast.bob.client.post(f"/settings/keys/{made.id}/revoke")
        async with asyncio.timeout(SECONDS_TO_LEAVE):
            async for piece in pieces:
                received += piece

    assert surface.end not in received
    assert "revoked" in surface.error_at_the_end_of(received)[1]
    entry = await only_entry()
    assert (entry.outcome, entry.api_key_id, entry.is_estimate) == ("stopped", made.id, True)
    assert entry.output_tokens > 0


async def test_a_key_that_expires_ends_what_is_under_way(
    address: str, database: Database, make_key: MakeKey, entries: Entries
) -> None:
    # Echo stalls: without an end of the key there would be none of the answer.
    prompt = "/stall one two three four"
    key = await make_key(Rules(expires_at=now() + timedelta(seconds=3)))
    surfaces = (OPENAI, ANTHROPIC, OLLAMA, RESPONSES)

    async with (
        httpx.AsyncClient(base_url=address, headers={"x-api-key": key}, timeout=60) as program,
        asyncio.timeout(60),
    ):
        *streamed, gathered = await asyncio.gather(
            *(program.post(each.path, json=each.asking(MODEL, prompt, streaming=True)) for each in surfaces),
            program.post(NATIVE.path, json=NATIVE.asking(MODEL, prompt)),
        )

    for surface, response in zip(surfaces, streamed, strict=True):
        assert "two" in response.text, surface.name
        assert surface.end not in response.text
        assert "expired" in surface.error_at_the_end_of(response.text)[1]
    assert gathered.status_code == 401
    assert NATIVE.complaint(gathered.json())[0] == "key_expired"
    assert [entry.outcome for entry in await entries()] == ["stopped"] * 5


async def test_a_key_that_is_revoked_ends_an_answer_that_is_gathered(
    address: str, cast: Cast, database: Database, key: str
) -> None:
    made = await only_key(database)
    async with httpx.AsyncClient(base_url=address, headers={"x-api-key": key}) as program:
        asking = asyncio.create_task(
            program.post(NATIVE.path, json=NATIVE.asking("practice/echo-fast", "/stall one two"))
        )
        await asyncio.sleep(0.2)
        await cast.bob.client.post(f"/settings/keys/{made.id}/revoke")
        async with asyncio.timeout(SECONDS_TO_LEAVE):
            response = await asking

    assert response.status_code == 401
    assert NATIVE.complaint(response.json())[0] == "key_revoked"


async def test_a_key_that_is_revoked_while_a_request_is_coming_in_asks_nothing(
    address: str, app: FastAPI, cast: Cast, database: Database, key: str
) -> None:
    made = await only_key(database)
    document = json.dumps(OPENAI.asking("practice/echo-fast", PROMPT)).encode()
    doorkeeper: Doorkeeper = app.state.doorkeeper

    async def body() -> AsyncIterator[bytes]:
        yield document[:20]
        await asyncio.sleep(0.2)
        await cast.bob.client.post(f"/settings/keys/{made.id}/revoke")
        await doorkeeper.show_out()
        yield document[20:]

    async with httpx.AsyncClient(base_url=address, headers={"x-api-key": key}) as program:
        response = await program.post(OPENAI.path, content=body())

    assert response.status_code == 401
    assert OPENAI.complaint(response.json())[0] == "key_revoked"
