"""Tools that a vendor runs itself and bills apart: nothing passes uncounted without being marked."""

import httpx
import orjson
import pytest

from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from app.usage.models import Budget, PriceOverride
from tests.cast import Visitor
from tests.providers.fake_server import Answer, FakeServer
from tests.v1.clients import ANTHROPIC, OPENAI, Client
from tests.v1.conftest import Connect, Entries, OnlyEntry
from tests.v1.vendors import CLAUDE, COMPATIBLE, Vendor

Tool = dict[str, object]

SEARCH: Tool = {"type": "web_search_20250305", "name": "web_search"}
BILLED = pytest.mark.parametrize(
    ("surface", "upstream", "tool"),
    [
        (ANTHROPIC, CLAUDE, SEARCH),
        (ANTHROPIC, CLAUDE, {"type": "code_execution_20250825", "name": "code_execution"}),
        (ANTHROPIC, CLAUDE, {"type": "bash_20250124_web_search_1", "name": "bash"}),
        (OPENAI, COMPATIBLE, {"type": "openrouter:web_search"}),
    ],
)


@pytest.fixture(autouse=True)
async def connected(connect: Connect, vendor: FakeServer, database: Database) -> None:
    await connect(COMPATIBLE.kind, COMPATIBLE.kind, "m", base_url=f"{vendor.url}/v1")
    await connect(CLAUDE.kind, CLAUDE.kind, "m", base_url=vendor.url)
    async with database.writing() as session:
        session.add_all(
            PriceOverride(connection=each.kind, model="m", input=1, output=1, effective_from=now())
            for each in (COMPATIBLE, CLAUDE)
        )


async def asks(
    visitor: Visitor, key: str, surface: Client, upstream: Vendor, tool: Tool, **headers: str
) -> httpx.Response:
    body = surface.asking(upstream.model) | {"tools": [tool]}
    return await visitor.post(surface.path, json=body, headers={"x-api-key": key} | headers)


@BILLED
async def test_they_are_refused_by_name(
    client: Visitor,
    key: str,
    vendor: FakeServer,
    entries: Entries,
    surface: Client,
    upstream: Vendor,
    tool: Tool,
) -> None:
    for headers in ({}, {"x-parley-drop-unsupported": "true"}):
        response = await asks(client, key, surface, upstream, tool, **headers)

        assert response.status_code == 400
        assert "`tools.0`" in response.json()["error"]["message"]
        assert "ALLOW_BILLED_TOOLS" in response.json()["error"]["message"]
    assert vendor.received == []
    assert await entries() == []


@pytest.mark.parametrize(
    ("surface", "upstream", "tool"),
    [
        (ANTHROPIC, CLAUDE, {"name": "depth", "input_schema": {"type": "object"}}),
        (ANTHROPIC, CLAUDE, {"type": "bash_20250124", "name": "bash"}),
        (ANTHROPIC, CLAUDE, {"type": "web_fetch_20250910", "name": "web_fetch"}),
        (OPENAI, COMPATIBLE, {"type": "custom", "custom": {"name": "depth"}}),
    ],
)
async def test_tools_that_cost_their_words_pass_and_are_counted(
    client: Visitor,
    key: str,
    vendor: FakeServer,
    only_entry: OnlyEntry,
    surface: Client,
    upstream: Vendor,
    tool: Tool,
) -> None:
    upstream.plays(vendor, upstream.whole)

    response = await asks(client, key, surface, upstream, tool)

    assert response.status_code == 200, response.text
    assert vendor.received[0].json["tools"] == [tool]
    assert not (await only_entry()).is_estimate


class TestWhereTheyAreAllowed:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"allow_billed_tools": True})

    @BILLED
    async def test_such_calls_are_marked(
        self,
        client: Visitor,
        key: str,
        vendor: FakeServer,
        only_entry: OnlyEntry,
        surface: Client,
        upstream: Vendor,
        tool: Tool,
    ) -> None:
        upstream.plays(vendor, upstream.whole)

        response = await asks(client, key, surface, upstream, tool)

        assert response.status_code == 200, response.text
        assert (await only_entry()).is_estimate

    async def test_a_hard_limit_refuses_them_all_the_same(
        self, client: Visitor, key: str, vendor: FakeServer, database: Database
    ) -> None:
        async with database.writing() as session:
            session.add(Budget(scope="workspace", unit="usd", period="total", amount=10_000_000))

        response = await asks(client, key, ANTHROPIC, CLAUDE, SEARCH)

        assert response.status_code == 400
        assert "hard limit" in response.json()["error"]["message"]
        assert vendor.received == []


SUMMARY: Tool = {"edits": [{"type": "clear_tool_uses_20250919"}, {"type": "compact_20260112"}]}
UNASKED = pytest.mark.parametrize(
    ("surface", "upstream", "field", "value"),
    [
        (ANTHROPIC, CLAUDE, "context_management", SUMMARY),
        (ANTHROPIC, CLAUDE, "context_management", {"edits": "compact_20260112"}),
        (OPENAI, COMPATIBLE, "prediction", {"type": "content", "content": "word " * 1_000}),
    ],
)


class TestWhatMakesAProviderWorkUnasked:
    """Summaries of a context, and what was foretold in vain: both are billed beside what is sent and the maximum."""

    @pytest.fixture
    async def limited(self, database: Database) -> None:
        async with database.writing() as session:
            session.add(Budget(scope="workspace", unit="usd", period="total", amount=10_000_000))

    async def ask(
        self, visitor: Visitor, key: str, surface: Client, upstream: Vendor, field: str, value: object
    ) -> httpx.Response:
        body = surface.asking(upstream.model) | {field: value}
        return await visitor.post(surface.path, json=body, headers={"x-api-key": key})

    @UNASKED
    async def test_a_hard_limit_refuses_it(
        self,
        client: Visitor,
        key: str,
        vendor: FakeServer,
        limited: None,
        surface: Client,
        upstream: Vendor,
        field: str,
        value: object,
    ) -> None:
        response = await self.ask(client, key, surface, upstream, field, value)

        assert response.status_code == 400
        assert f"`{field}`" in response.json()["error"]["message"]
        assert "hard limit" in response.json()["error"]["message"]
        assert vendor.received == []

    @UNASKED
    async def test_else_it_passes(
        self,
        client: Visitor,
        key: str,
        vendor: FakeServer,
        surface: Client,
        upstream: Vendor,
        field: str,
        value: object,
    ) -> None:
        upstream.plays(vendor, upstream.whole)

        response = await self.ask(client, key, surface, upstream, field, value)

        assert response.status_code == 200, response.text
        assert vendor.received[0].json[field] == value

    async def test_to_leave_something_out_costs_nothing(
        self, client: Visitor, key: str, vendor: FakeServer, limited: None
    ) -> None:
        CLAUDE.plays(vendor, CLAUDE.whole)
        edits = {"edits": [{"type": "clear_tool_uses_20250919"}, {"type": "clear_thinking_20251015"}]}

        response = await self.ask(client, key, ANTHROPIC, CLAUDE, "context_management", edits)

        assert response.status_code == 200, response.text

    async def test_what_a_summary_took_is_counted(
        self, client: Visitor, key: str, vendor: FakeServer, only_entry: OnlyEntry
    ) -> None:
        usage = {
            "input_tokens": 23_000,
            "output_tokens": 1_000,
            "iterations": [
                {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
                {"type": "message", "input_tokens": 23_000, "output_tokens": 1_000},
            ],
        }
        whole = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [{"type": "text", "text": "Yes."}],
            "stop_reason": "end_turn",
            "usage": usage,
        }
        vendor.plays(Answer(headers={"content-type": "application/json"}, body=orjson.dumps(whole)))

        response = await self.ask(client, key, ANTHROPIC, CLAUDE, "context_management", SUMMARY)

        assert response.json()["usage"] == usage
        entry = await only_entry()
        assert (entry.input_tokens, entry.output_tokens) == (203_000, 4_500)
