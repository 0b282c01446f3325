"""What clients put into requests to get more than they may: uncounted words, other models, and whole afternoons."""

import httpx
import pytest

from app.core.clock import now
from app.core.database import Database
from app.usage.models import Budget, PriceOverride
from tests.cast import Visitor
from tests.providers.fake_server import FakeServer
from tests.v1.clients import ANTHROPIC, COMPLETIONS, GENERATION, OLLAMA, OPENAI, RESPONSES, Client
from tests.v1.conftest import Connect
from tests.v1.vendors import CLAUDE, COMPATIBLE, CONTINUING, LLAMA, PROMPTED_LLAMA, RESPONDING, Vendor

DOLLAR = 1_000_000
MUCH = "much to read " * 20_000
PAIRS = [
    (OPENAI, COMPATIBLE),
    (ANTHROPIC, CLAUDE),
    (OLLAMA, LLAMA),
    (GENERATION, PROMPTED_LLAMA),
    (RESPONSES, RESPONDING),
    (COMPLETIONS, CONTINUING),
]
"""Clients, and a vendor that each of them shares its language with."""
EACH = pytest.mark.parametrize(("client_of", "upstream"), PAIRS, ids=lambda each: getattr(each, "name", ""))
OLLAMAS = pytest.mark.parametrize(("client_of", "upstream"), PAIRS[2:4], ids=["chat", "generation"])


@pytest.fixture(autouse=True)
async def connected(connect: Connect, vendor: FakeServer, database: Database) -> None:
    """Vendors whose token costs a millionth of a dollar."""
    await connect(COMPATIBLE.kind, COMPATIBLE.kind, "m", base_url=f"{vendor.url}/v1")
    await connect(CLAUDE.kind, CLAUDE.kind, "m", base_url=vendor.url)
    await connect(LLAMA.kind, LLAMA.kind, "m", base_url=vendor.url)
    await connect(RESPONDING.kind, RESPONDING.kind, "m", base_url=f"{vendor.url}/v1")
    async with database.writing() as session:
        for upstream in (COMPATIBLE, CLAUDE, LLAMA, RESPONDING):
            row = PriceOverride(connection=upstream.kind, model="m", effective_from=now())
            row.input = row.output = DOLLAR
            session.add(row)


async def ask(
    visitor: Visitor,
    key: str,
    client: Client,
    upstream: Vendor,
    headers: dict[str, str] | None = None,
    **more: object,
) -> httpx.Response:
    body = client.asking(upstream.model, streaming=False) | more
    return await visitor.post(client.path, json=body, headers={"x-api-key": key, **(headers or {})})


@pytest.mark.parametrize(
    "where",
    [
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"description": MUCH}},
            }
        },
        {"messages": [{"role": "user", "content": "Hello", "name": MUCH}]},
        {"tools": [{"type": "function", "function": {"name": "x", "description": MUCH}}]},
        {"functions": [{"name": "x", "description": MUCH}]},
    ],
    ids=lambda where: next(iter(where)),
)
async def test_words_are_counted_wherever_they_stand(
    client: Visitor, key: str, vendor: FakeServer, database: Database, where: dict[str, object]
) -> None:
    async with database.writing() as session:
        session.add(Budget(scope="workspace", unit="usd", period="total", amount=DOLLAR // 10))

    response = await ask(client, key, OPENAI, COMPATIBLE, **where)

    assert response.status_code == 429, response.text[:200]
    assert vendor.received == []


@EACH
@pytest.mark.parametrize(
    "name", ["models", "fallbacks", "api_base", "mcp_servers", "route", "container", "Model", "Options"]
)
async def test_fields_that_nobody_knows_go_nowhere(
    client: Visitor, key: str, vendor: FakeServer, client_of: Client, upstream: Vendor, name: str
) -> None:
    response = await ask(client, key, client_of, upstream, **{name: ["other/model"]})

    assert response.status_code == 400
    assert name in client_of.complaint(response.json())[1]
    assert vendor.received == []


@EACH
async def test_who_can_do_without_them_is_served_without_them(
    client: Visitor, key: str, vendor: FakeServer, client_of: Client, upstream: Vendor
) -> None:
    vendor.plays(upstream.whole)

    response = await ask(
        client, key, client_of, upstream, {"x-parley-drop-unsupported": "true"}, models=["other/model"]
    )

    assert response.status_code == 200
    assert "models" not in vendor.received[0].json


@OLLAMAS
@pytest.mark.parametrize("name", ["Num_Predict", "draft_num_predict", "num_predict "])
async def test_options_that_nobody_knows_go_nowhere(
    client: Visitor, key: str, vendor: FakeServer, client_of: Client, upstream: Vendor, name: str
) -> None:
    response = await ask(client, key, client_of, upstream, options={name: 9_999})

    assert response.status_code == 400
    assert f"options.{name}" in client_of.complaint(response.json())[1]
    assert vendor.received == []


@OLLAMAS
@pytest.mark.parametrize("wanted", [{}, {"num_predict": 90_000}, {"num_predict": -1}, {"num_predict": -2}])
async def test_no_more_is_asked_for_than_is_paid_for(
    client: Visitor,
    key: str,
    vendor: FakeServer,
    database: Database,
    client_of: Client,
    upstream: Vendor,
    wanted: dict[str, int],
) -> None:
    async with database.writing() as session:
        session.add(Budget(scope="workspace", unit="usd", period="total", amount=3_000))
    upstream.plays(vendor, upstream.whole)

    response = await ask(client, key, client_of, upstream, options=wanted)

    assert response.status_code == 200, response.text
    assert 0 < vendor.received[0].json["options"]["num_predict"] < 3_000


@pytest.mark.parametrize(
    "wanted", [{}, {"max_tokens": 90_000}, {"n_predict": -1}, {"n_predict": 90_000, "n": 2}, {"best_of": 9}]
)
async def test_no_more_of_a_completion_is_asked_for_than_is_paid_for(
    client: Visitor, key: str, vendor: FakeServer, database: Database, wanted: dict[str, int]
) -> None:
    async with database.writing() as session:
        session.add(Budget(scope="workspace", unit="usd", period="total", amount=3_000))
    CONTINUING.plays(vendor, CONTINUING.whole)

    response = await ask(
        client, key, COMPLETIONS, CONTINUING, {"x-parley-drop-unsupported": "true"}, **wanted
    )

    assert response.status_code == 200, response.text
    told = vendor.received[0].json
    assert 0 < told["max_tokens"] * told.get("n", 1) < 3_000
    assert not {"best_of", "n_predict"} & set(told)


@pytest.mark.parametrize("wanted", [{}, {"max_output_tokens": 90_000}])
async def test_no_more_of_a_response_is_asked_for_than_is_paid_for(
    client: Visitor, key: str, vendor: FakeServer, database: Database, wanted: dict[str, int]
) -> None:
    async with database.writing() as session:
        session.add(Budget(scope="workspace", unit="usd", period="total", amount=3_000))
    RESPONDING.plays(vendor, RESPONDING.whole)

    response = await ask(client, key, RESPONSES, RESPONDING, **wanted)

    assert response.status_code == 200, response.text
    assert 0 < vendor.received[0].json["max_output_tokens"] < 3_000


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"background": True},
        {"input": [{"type": "item_reference", "id": "msg_1"}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "https://a.example"}]}]},
        {"context_management": [{"type": "compaction"}]},
    ],
    ids=lambda elsewhere: next(iter(elsewhere)),
)
async def test_nothing_is_fetched_from_elsewhere_for_a_response(
    client: Visitor, key: str, vendor: FakeServer, elsewhere: dict[str, object]
) -> None:
    response = await ask(client, key, RESPONSES, RESPONDING, **elsewhere)

    assert response.status_code == 400
    assert vendor.received == []


@OLLAMAS
async def test_how_a_model_is_loaded_is_not_for_clients_to_say(
    client: Visitor, key: str, vendor: FakeServer, client_of: Client, upstream: Vendor
) -> None:
    upstream.plays(vendor, upstream.whole)

    await ask(
        client,
        key,
        client_of,
        upstream,
        options={"num_ctx": 900_000, "num_gpu": 0, "num_thread": 1, "mirostat": 2},
        keep_alive=0,
        truncate=True,
        shift=True,
    )

    told = vendor.received[0].json
    assert told["options"] == {"num_ctx": 8_192, "mirostat": 2}
    assert (told["truncate"], told["shift"]) == (False, False)
    assert "keep_alive" not in told


async def test_headers_are_no_place_for_novels(client: Visitor, key: str, vendor: FakeServer) -> None:
    response = await ask(client, key, ANTHROPIC, CLAUDE, {"anthropic-beta": "x" * 9_000})

    assert response.status_code == 400
    assert vendor.received == []


@pytest.mark.parametrize(
    "nonsense",
    [
        {"n": 2**62},
        {"n": 1_000_000},
        {"messages": [{"role": "user", "content": ""}] * 20_000},
        {"tools": [{"type": "function", "function": {"name": "x", "parameters": "DEEP"}}]},
    ],
    ids=["more answers than anybody reads", "many answers", "many messages", "deep"],
)
async def test_what_nobody_writes_is_refused(
    client: Visitor, key: str, vendor: FakeServer, nonsense: dict[str, object]
) -> None:
    deep: object = "end"
    for _ in range(300):
        deep = {"in": deep}
    if "tools" in nonsense:
        nonsense = {"tools": [{"type": "function", "function": {"name": "x", "parameters": deep}}]}

    response = await ask(client, key, OPENAI, COMPATIBLE, **nonsense)

    assert response.status_code == 400
    assert vendor.received == []
