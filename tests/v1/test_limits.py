"""What clients hear when a budget or a rate does not allow a call: whether to wait, and for how long."""

import httpx
import pytest

from app.accounts.key_rules import Rules
from app.core.clock import now
from app.core.database import Database
from app.usage.models import Budget, PriceOverride
from tests.cast import Visitor
from tests.v1.clients import TALKING, Client
from tests.v1.conftest import Connect, Entries, MakeKey

MODEL = "practice/echo-fast"
DOLLAR = 1_000_000
SURFACES = pytest.mark.parametrize("surface", TALKING, ids=lambda client: client.name)
STREAMING = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
OF_A_BUDGET = {"/v1/messages": "billing_error", "/ollama/api/chat": "", "/ollama/api/generate": ""}
OF_A_RATE = {"/v1/messages": "rate_limit_error", "/ollama/api/chat": "", "/ollama/api/generate": ""}


@pytest.fixture(autouse=True)
async def priced(connect: Connect, database: Database) -> None:
    """A word costs a tenth of a cent."""
    await connect("practice", "echo", "echo-fast")
    async with database.writing() as session:
        row = PriceOverride(connection="practice", model="echo-fast", effective_from=now())
        row.input = row.output = 1_000 * DOLLAR
        session.add(row)


async def limit(database: Database, unit: str, period: str, amount: int) -> None:
    async with database.writing() as session:
        session.add(Budget(scope="workspace", unit=unit, period=period, amount=amount))


async def ask(client: Visitor, key: str, surface: Client, streaming: bool) -> httpx.Response:
    body = surface.asking(MODEL, "Hello to everybody in here", streaming=streaming)
    return await client.post(surface.path, json=body, headers={"x-api-key": key})


@SURFACES
@STREAMING
async def test_a_budget_that_is_spent_is_not_asked_again(
    client: Visitor, key: str, database: Database, surface: Client, streaming: bool, entries: Entries
) -> None:
    await limit(database, "usd", "month", 1)

    response = await ask(client, key, surface, streaming)

    kind, sentence = surface.complaint(response.json())
    assert response.status_code == 429
    assert kind == OF_A_BUDGET.get(surface.path, "insufficient_quota")
    assert "budget" in sentence
    assert response.headers["x-should-retry"] == "false"
    assert int(response.headers["retry-after"]) > 0
    assert await entries() == []


@SURFACES
@STREAMING
async def test_a_rate_says_when_to_come_back(
    client: Visitor, key: str, database: Database, surface: Client, streaming: bool, entries: Entries
) -> None:
    await limit(database, "requests", "minute", 1)
    assert (await ask(client, key, surface, streaming)).status_code == 200

    response = await ask(client, key, surface, streaming)

    kind, sentence = surface.complaint(response.json())
    assert response.status_code == 429
    assert kind == OF_A_RATE.get(surface.path, "rate_limit_exceeded")
    assert "Try again in" in sentence
    assert 0 < int(response.headers["retry-after"]) <= 60
    assert "x-should-retry" not in response.headers
    assert len(await entries()) == 1


async def test_who_is_refused_goes_on_with_models_of_the_key_only(
    client: Visitor, key: str, database: Database, connect: Connect, make_key: MakeKey
) -> None:
    await connect("other", "echo", "echo", "echo-slow")
    await limit(database, "usd", "month", 1)
    kept_to_some = await make_key(Rules(models=frozenset({MODEL, "other/echo-slow"})))
    kept_to_one = await make_key(Rules(models=frozenset({MODEL})))

    async def refused(key: str) -> str:
        return TALKING[0].complaint((await ask(client, key, TALKING[0], streaming=False)).json())[1]

    assert (await refused(key)).endswith("You can go on with Echo or Echo-Slow.")
    assert (await refused(kept_to_some)).endswith("You can go on with Echo-Slow.")
    assert "go on with" not in await refused(kept_to_one)


async def test_a_moment_far_away_is_written_out(client: Visitor, key: str, database: Database) -> None:
    """Also in the first days of a month: no header says 1.2096e+06."""
    await limit(database, "usd", "total", 1)
    await limit(database, "tokens", "month", 1)

    for surface in TALKING:
        response = await ask(client, key, surface, streaming=False)
        assert response.headers.get("retry-after", "1").isdigit()
        assert response.headers["x-should-retry"] == "false"
