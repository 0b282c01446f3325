"""Providers that report what cannot be true, where a hard limit pays: the call is estimated."""

import re

import orjson
import pytest
from sqlalchemy import select

from app.core.database import Database
from app.usage.models import BudgetCounter
from tests.cast import Visitor
from tests.providers.fake_server import Answer, FakeServer
from tests.v1.conftest import OnlyEntry
from tests.v1.test_unheeded_limits import WAYS, Way, ask, limited
from tests.v1.vendors import CLAUDE

__all__ = ["limited"]

TOLD_OUTPUT = re.compile(rb'("(?:completion_tokens|output_tokens|eval_count)"\s*:\s*)\d+')
LIES = [10**14, 100_000_001, 1e300, -1]


@pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("way", [*WAYS[:3], *WAYS[5:8]], ids=lambda way: way.name)
async def test_figures_that_cannot_be_true_count_as_none(
    client: Visitor,
    key: str,
    vendor: FakeServer,
    only_entry: OnlyEntry,
    database: Database,
    way: Way,
    lie: float,
    *,
    streaming: bool,
) -> None:
    answer = way.upstream.answer if streaming else way.upstream.whole
    vendor.plays(answer.but(body=TOLD_OUTPUT.sub(rb"\g<1>" + orjson.dumps(lie), answer.body)))

    response = await ask(client, key, way, streaming=streaming)

    assert response.status_code == 200
    entry = await only_entry()
    assert (entry.outcome, entry.is_estimate, entry.error_code) == ("finished", True, "")
    assert 0 < entry.input_tokens + entry.output_tokens < 1_000
    async with database.reading() as session:
        assert await session.scalar(select(BudgetCounter.spent)) == entry.cost_micros
    assert (await ask(client, key, way, streaming=streaming)).status_code == 200


async def test_many_figures_that_add_up_to_what_cannot_be_true_count_as_none(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry
) -> None:
    summary = {"type": "compaction", "input_tokens": 90_000_000, "output_tokens": 90_000_000}
    said = orjson.loads(CLAUDE.whole.body)
    said["usage"]["iterations"] = [summary] * 9
    vendor.plays(CLAUDE.whole.but(body=orjson.dumps(said)))

    await ask(client, key, WAYS[1], streaming=False)

    entry = await only_entry()
    assert entry.is_estimate
    assert entry.input_tokens + entry.output_tokens < 1_000


@pytest.mark.parametrize("lie", LIES)
async def test_of_embeddings_as_well(
    client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry, lie: float
) -> None:
    said = {"model": "m", "embeddings": [[0.1, 0.2]], "prompt_eval_count": lie}
    json = {"content-type": "application/json"}
    vendor.plays_at("/api/embed", Answer(headers=json, body=orjson.dumps(said)))

    body = {"model": "ollama/m", "input": "How deep is the harbour?"}
    response = await client.post("/v1/embeddings", json=body, headers={"x-api-key": key})

    assert response.status_code == 200
    entry = await only_entry()
    assert entry.is_estimate
    assert 0 < entry.input_tokens < 100
