"""Calls that become conversations: only where that is wished, whole, and for one person's eyes."""

import re
from base64 import b64encode

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.accounts import api_keys, service_accounts
from app.accounts.audit import COMMAND_LINE, Act
from app.accounts.key_rules import Rules
from app.chats.images import LEFT_OUT
from app.chats.models import Chat
from app.core.database import Database
from app.core.errors import Invalid
from tests.cast import Cast, Visitor
from tests.providers.fake_server import FakeServer
from tests.providers.test_pictures import png
from tests.v1.clients import ANTHROPIC, COMPLETIONS, GENERATION, NATIVE, OLLAMA, OPENAI, RESPONSES, Client
from tests.v1.conftest import Entries
from tests.v1.recording.conftest import BooksAgree, Said, Stored
from tests.v1.recording.programs import ECHO, asks, says
from tests.v1.vendors import CLAUDE, COMPATIBLE, CONTINUING, LLAMA, PROMPTED_LLAMA, RESPONDING, Vendor

TALKS = pytest.mark.parametrize("surface", [OPENAI, RESPONSES, ANTHROPIC, OLLAMA], ids=lambda it: it.name)
STREAMS = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
PASSED = [
    (OPENAI, COMPATIBLE),
    (COMPLETIONS, CONTINUING),
    (RESPONSES, RESPONDING),
    (ANTHROPIC, CLAUDE),
    (OLLAMA, LLAMA),
    (GENERATION, PROMPTED_LLAMA),
]
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture of a boat"


async def test_nothing_is_stored_unless_somebody_wants_it(
    client: Visitor, key: str, chats: Stored, entries: Entries
) -> None:
    for surface in (OPENAI, RESPONSES, ANTHROPIC, OLLAMA):
        assert (await asks(client, key, surface)).status_code == 200

    assert await chats(0) == []
    assert {entry.origin for entry in await entries()} == {"api"}


@TALKS
@STREAMS
async def test_a_call_becomes_a_conversation(
    client: Visitor,
    storing_key: str,
    surface: Client,
    streaming: bool,
    chats: Stored,
    said: Said,
    books_agree: BooksAgree,
    entries: Entries,
) -> None:
    response = await asks(client, storing_key, surface, streaming=streaming)

    assert response.status_code == 200
    [chat] = await chats()
    assert (chat["title"], chat["model"]) == ("How deep is the harbour?", ECHO)
    [question, reply] = await said(chat)
    assert (question["role"], question["content"]) == ("user", "How deep is the harbour?")
    assert "harbour" in reply["content"]
    assert (reply["role"], reply["status"], reply["model"]) == ("assistant", "finished", ECHO)
    [entry] = await entries()
    assert entry.origin == f"chat:{chat['id']}"
    assert (reply["input_tokens"], reply["output_tokens"]) == (entry.input_tokens, entry.output_tokens)
    assert chat["recorded_from"] == entry.api_key_id
    await books_agree()


@pytest.mark.parametrize(("surface", "upstream"), PASSED, ids=[surface.name for surface, _ in PASSED])
@STREAMS
async def test_what_is_passed_through_is_stored_as_it_was_said(
    client: Visitor,
    key: str,
    vendor: FakeServer,
    surface: Client,
    upstream: Vendor,
    streaming: bool,
    chats: Stored,
    said: Said,
    books_agree: BooksAgree,
) -> None:
    upstream.plays(vendor, upstream.answer if streaming else upstream.whole)
    without = await asks(client, key, surface, model=upstream.model, streaming=streaming)
    upstream.plays(vendor, upstream.answer if streaming else upstream.whole)

    response = await asks(client, key, surface, model=upstream.model, streaming=streaming, store="true")

    assert response.content == without.content
    [chat] = await chats()
    [_, reply] = await said(chat)
    assert reply["content"].startswith("Grüße")
    assert "data:" not in reply["content"]
    assert (reply["status"], reply["model"]) == ("finished", upstream.model)
    assert reply["output_tokens"] > 0
    assert not reply["tokens_are_estimated"]
    await books_agree()


async def test_the_header_counts_before_the_key(
    client: Visitor, key: str, storing_key: str, chats: Stored
) -> None:
    await asks(client, storing_key, OPENAI, store="false")
    await chats(0)

    await asks(client, key, OPENAI, store="true")
    await chats(1)

    refused = await asks(client, key, OPENAI, store="perhaps")
    assert refused.status_code == 400
    assert "x-parley-store" in refused.json()["error"]["message"]


async def test_single_prompts_are_stored_only_where_they_say_so(
    client: Visitor, storing_key: str, chats: Stored
) -> None:
    for surface in (COMPLETIONS, GENERATION, NATIVE):
        assert (await asks(client, storing_key, surface)).status_code == 200
    await chats(0)

    await asks(client, storing_key, COMPLETIONS, store="true")
    await chats(1)


async def test_nobody_else_sees_it(client: Visitor, storing_key: str, chats: Stored, cast: Cast) -> None:
    await says(client, storing_key, [("user", "Salaries")])
    [chat] = await chats()

    sidebar = (await cast.bob.client.get(f"/chats/{chat['id']}")).text
    assert "Salaries" in sidebar
    assert "From a program" in sidebar
    for person in (cast.charlie, cast.alice):
        response = await person.client.get(f"/chats/{chat['id']}")
        assert response.status_code == 404
        assert "Salaries" not in response.text
        await chats(0, person)


@pytest.mark.parametrize(
    "messages",
    [[], [{"role": "system", "content": "Be brief."}], [{"role": "assistant", "content": "It is"}]],
    ids=["nothing", "instructions", "beginning"],
)
async def test_odd_conversations_are_answered_and_stored_if_anything_was_said(
    app: FastAPI,
    client: Visitor,
    storing_key: str,
    cast: Cast,
    messages: list[object],
    books_agree: BooksAgree,
) -> None:
    body = {"model": ECHO, "messages": messages, "stream": False}

    for path in (OPENAI.path, OLLAMA.path):
        response = await client.post(path, json=body, headers={"x-api-key": storing_key})
        assert response.status_code in (200, 400), response.text
        await app.state.recorder.drain(5)

    for chat in (await cast.bob.client.get("/api/chats")).json()["chats"]:
        assert (await cast.bob.client.get(f"/chats/{chat['id']}")).status_code == 200
    await books_agree()


async def test_a_program_does_not_choose_the_model_of_its_person(
    client: Visitor, storing_key: str, chats: Stored, cast: Cast
) -> None:
    started = await cast.bob.client.post("/chats", data={"body": "Hi", "model": f"{CLAUDE.kind}/m"})
    assert started.status_code == 303
    await says(client, storing_key, [("user", "Hello")])
    await chats(2)

    assert re.search(rf'value="{CLAUDE.kind}/m"[^>]* checked', (await cast.bob.client.get("/")).text)


async def test_tools_and_what_they_returned_can_be_read(
    client: Visitor, storing_key: str, chats: Stored, said: Said, cast: Cast
) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "depth", "arguments": '{"of": "```"}'}}
    messages = [
        {"role": "user", "content": "How deep is it?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "12 metres"},
    ]
    body = {"model": ECHO, "messages": messages}
    await client.post("/v1/chat/completions", json=body, headers={"x-api-key": storing_key})

    [chat] = await chats()
    [_, called, result, _] = await said(chat)
    assert "`depth`" in called["content"]
    assert called["content"].rstrip().endswith("````")
    assert result["content"] == "[Result of a tool]\n12 metres"
    assert (called["model"], called["output_tokens"]) == ("", None)
    page = (await cast.bob.client.get(f"/chats/{chat['id']}")).text
    assert "An earlier answer" in page
    assert ">No model<" not in page


async def test_images_are_stored_with_their_question(
    client: Visitor, storing_key: str, chats: Stored, said: Said, cast: Cast
) -> None:
    url = f"data:image/png;base64,{b64encode(PNG).decode()}"
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    await says(client, storing_key, [("user", content)])

    [chat] = await chats()
    [question, _] = await said(chat)
    [image] = question["images"]
    address = f"/api/chats/{chat['id']}/messages/{question['id']}/images/{image['id']}"
    assert (await cast.bob.client.get(address)).content == PNG
    assert (await cast.charlie.client.get(address)).status_code == 404


async def test_an_image_that_claims_too_much_is_not_stored(
    client: Visitor, storing_key: str, chats: Stored, said: Said
) -> None:
    url = f"data:image/png;base64,{b64encode(png(60_000, 60_000)).decode()}"
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    await says(client, storing_key, [("user", content)])

    [chat] = await chats()
    [question, _] = await said(chat)
    assert question["images"] == []
    assert LEFT_OUT in question["content"]


async def test_service_accounts_store_nothing(
    app: FastAPI, client: Visitor, cast: Cast, database: Database, chats: Stored
) -> None:
    act = Act(COMMAND_LINE)
    async with database.writing() as session:
        account = await service_accounts.create(session, "Nightly", act)
        signing_key = app.state.secrets.signing_key
        with pytest.raises(Invalid, match="nobody could read"):
            await api_keys.create(
                session, account, signing_key, act, name="Job", rules=Rules(stores_calls=True)
            )
        made = await api_keys.create(session, account, signing_key, act, name="Job")

    refused = await asks(client, made.secret, OPENAI, store="true")

    assert refused.status_code == 400
    assert "nobody could read" in refused.json()["error"]["message"]
    assert (await asks(client, made.secret, OPENAI)).status_code == 200
    await app.state.recorder.drain(5)
    async with database.reading() as session:
        assert list(await session.scalars(select(Chat))) == []
