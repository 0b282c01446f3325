"""A project at OpenAI may be set to a dearer service: a hard limit in money pays for the standard one."""

import pytest

from app.core.clock import now
from app.core.database import Database
from app.usage.models import Budget, PriceOverride
from tests.cast import Visitor
from tests.providers.fake_server import FakeServer
from tests.v1.clients import ANTHROPIC, OPENAI, RESPONSES, Client
from tests.v1.conftest import Connect
from tests.v1.vendors import COMPATIBLE, RESPONDING, Vendor

OPENAIS = [
    (OPENAI, "/v1/chat/completions", COMPATIBLE.whole),
    (ANTHROPIC, "/v1/chat/completions", COMPATIBLE.whole),
    (RESPONSES, "/v1/responses", RESPONDING.whole),
]
HARD: dict[str, object] = {"scope": "workspace", "period": "total", "amount": 10_000_000}


@pytest.fixture(autouse=True)
async def connected(connect: Connect, vendor: FakeServer, database: Database) -> None:
    for upstream in (RESPONDING, COMPATIBLE):
        await connect(upstream.kind, upstream.kind, "m", base_url=f"{vendor.url}/v1")
    async with database.writing() as session:
        session.add_all(
            PriceOverride(connection=each.kind, model="m", input=1, output=1, effective_from=now())
            for each in (RESPONDING, COMPATIBLE)
        )


async def service_asked_for(
    visitor: Visitor, key: str, vendor: FakeServer, surface: Client, upstream: Vendor = RESPONDING
) -> object:
    body = surface.asking(upstream.model)
    response = await visitor.post(surface.path, json=body, headers={"x-api-key": key})
    assert response.status_code == 200, response.text
    return vendor.received[-1].json.get("service_tier")


@pytest.mark.parametrize(
    ("surface", "path", "answer"), OPENAIS, ids=[surface.name for surface, *_ in OPENAIS]
)
async def test_the_price_that_is_held_is_the_one_that_is_paid(
    client: Visitor,
    key: str,
    vendor: FakeServer,
    database: Database,
    surface: Client,
    path: str,
    answer: object,
) -> None:
    vendor.plays_at(path, answer, answer, answer)  # type: ignore[arg-type]
    assert await service_asked_for(client, key, vendor, surface) is None
    async with database.writing() as session:
        session.add(Budget(unit="tokens", **HARD))
    assert await service_asked_for(client, key, vendor, surface) is None, "tokens cost what they cost"

    async with database.writing() as session:
        session.add(Budget(unit="usd", **HARD))

    assert await service_asked_for(client, key, vendor, surface) == "default"


async def test_servers_that_may_not_know_the_word_are_not_told(
    client: Visitor, key: str, vendor: FakeServer, database: Database
) -> None:
    COMPATIBLE.plays(vendor, COMPATIBLE.whole)
    async with database.writing() as session:
        session.add(Budget(unit="usd", **HARD))

    assert await service_asked_for(client, key, vendor, OPENAI, COMPATIBLE) is None
