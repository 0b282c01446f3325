"""What a reply cost stands beside it and above the conversation, and is what the ledger says."""

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from app.accounts.audit import Act
from app.accounts.models import User
from app.catalog.models import Connection
from app.chats.costs import cost_of
from app.chats.models import Chat, Message
from app.core.clock import now
from app.core.database import Database
from app.gateway.calls import Gateway
from app.usage import prices
from app.usage.models import LedgerEntry
from app.usage.pricing import Rates
from tests.cast import BASE_URL, Cast, Person, Visitor
from tests.chats.waiting import finished_replies

# Echo counts words: with these rates one read costs a cent, and one written ten.
RATES = Rates(10_000 * 1_000_000, 100_000 * 1_000_000)


@pytest.fixture
async def priced(database: Database, echo: str) -> str:
    """Echo's fast model has a price, its other models are free."""
    async with database.writing() as session:
        await prices.set_price(session, "echo", "echo-fast", RATES, now(), Act("command line"))
    return echo


async def ask(person: Person, question: str, model: str) -> str:
    response = await person.client.post("/chats", data={"body": question, "model": model})
    address: str = response.headers["location"]
    await finished_replies(person, address)
    return address


async def ledger(app: FastAPI) -> list[LedgerEntry]:
    gateway: Gateway = app.state.gateway
    await gateway.flush()
    async with app.state.database.reading() as session:
        return list(await session.scalars(select(LedgerEntry).order_by(LedgerEntry.at, LedgerEntry.id)))


async def test_the_cost_stands_beside_the_answer_and_above_the_conversation(
    app: FastAPI, cast: Cast, priced: str
) -> None:
    address = await ask(cast.alice, "one two three", priced)

    page = (await cast.alice.client.get(address)).text
    (reply,) = await finished_replies(cast.alice, address)

    # 3 × $0.01 + 3 × $0.10
    assert reply["cost_micros"] == 330_000
    assert page.count("$0.3300") >= 3
    assert 'title="Cost of this conversation, by model"' in page
    (entry,) = await ledger(app)
    assert (entry.cost_micros, entry.price_source) == (330_000, "override")
    assert entry.price == "in 10000, out 100000"


async def test_what_is_free_is_said_quietly(app: FastAPI, cast: Cast, echo: str) -> None:
    address = await ask(cast.alice, "one two three", echo)

    page = (await cast.alice.client.get(address)).text

    assert '<dd class="data">$0.00</dd>' in page
    assert "Cost of this conversation" not in page
    (entry,) = await ledger(app)
    assert (entry.cost_micros, entry.price_source) == (0, "free")


async def test_without_a_price_it_says_so_and_never_zero(
    app: FastAPI, cast: Cast, database: Database, echo: str
) -> None:
    address = await ask(cast.alice, "one two three", echo)
    async with database.writing() as session:
        # As when a model that nobody prices had answered.
        await session.execute(update(Message).where(Message.role == "assistant").values(cost_micros=None))

    page = (await cast.alice.client.get(address)).text

    assert page.count("No price") >= 2
    assert "$0.00" not in page


async def test_the_picker_says_what_a_million_tokens_cost(
    cast: Cast, database: Database, priced: str
) -> None:
    page = (await cast.alice.client.get("/")).text

    assert "$10,000 / $100,000" in page
    assert "Free" in page
    assert f'data-input-rates="0:{RATES.input}"' in page
    async with database.writing() as session:
        await session.execute(
            update(Connection).values(kind="openai-compatible", base_url="http://10.0.0.9/v1")
        )
    assert ">No price<" in (await cast.alice.client.get("/")).text


async def test_messages_and_ledger_agree_however_replies_end(
    app: FastAPI, cast: Cast, database: Database, priced: str
) -> None:
    address = await ask(cast.alice, "one two three", priced)
    for question in ("/break and go on and on", "/fail rate_limited now", "/think well", "/long 40 more"):
        await cast.alice.client.post(f"{address}/messages", data={"body": question, "model": priced})
        await finished_replies(cast.alice, address)
    broken = (await finished_replies(cast.alice, address))[0]
    await cast.alice.client.post(f"{address}/messages/{broken['id']}/variants", data={"model": priced})
    await finished_replies(cast.alice, address)

    entries = await ledger(app)

    async with database.reading() as session:
        of_messages = await session.scalar(select(func.sum(Message.cost_micros)))
    assert len(entries) == 6
    assert of_messages == sum(entry.cost_micros or 0 for entry in entries)
    assert {entry.origin for entry in entries} == {f"chat:{address.removeprefix('/chats/')}"}


async def test_the_ledger_knows_the_key_that_was_used(app: FastAPI, cast: Cast, echo: str) -> None:
    made = await cast.bob.client.post("/api/keys", json={"name": "Script"})
    assert made.is_success, made.text
    async with Visitor(app) as script:
        script.headers["authorization"] = f"Bearer {made.json()['secret']}"
        chat = (await script.post("/api/chats", json={"model": echo})).json()
        await script.post(f"{BASE_URL}/api/chats/{chat['id']}/messages", json={"content": "hello"})
    await ask(cast.bob, "in the browser", echo)

    by_key, by_browser = await ledger(app)

    assert by_key.api_key_id == made.json()["id"]
    assert by_browser.api_key_id is None


async def test_money_is_shown_in_the_workspace_s_currency(app: FastAPI, cast: Cast, priced: str) -> None:
    address = await ask(cast.alice, "one two three", priced)

    await cast.alice.client.post("/admin/prices/currency", data={"code": "EUR", "rate": "0.5"})

    page = (await cast.alice.client.get(address)).text
    assert "€0.1650" in page
    assert "$0.33" not in page
    assert "€5,000 / €50,000" in page


async def test_postgresql_adds_up_the_same(postgres_with_tables: str) -> None:
    database = Database(postgres_with_tables)
    async with database.writing() as session:
        owner = User(username="alice", email="a@example.org", name="Alice", password_hash="-")
        session.add(owner)
        await session.flush()
        chat = Chat(owner_id=owner.id, title="Costs")
        session.add(chat)
        await session.flush()
        for model, micros, is_estimate in (("a/b", 5, False), ("a/b", 6, True), ("c/d", None, False)):
            reply = Message(chat_id=chat.id, role="assistant", model=model, output_tokens=1)
            reply.cost_micros, reply.tokens_are_estimated = micros, is_estimate
            session.add(reply)

    async with database.reading() as session:
        cost = await cost_of(session, chat)
    await database.close()

    assert [(model.micros, model.is_whole, model.is_estimate) for model in cost.models] == [
        (11, True, True),
        (None, False, False),
    ]
    assert (cost.micros, cost.is_estimate) == (11, True)
