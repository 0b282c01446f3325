"""Conversations through the JSON doors."""

from app.core.database import Database
from tests.cast import Cast


async def test_a_question_gets_its_answer(cast: Cast, echo: str) -> None:
    chat = await cast.alice.starts_a_chat("Harbour")

    response = await cast.alice.client.post(
        f"/api/chats/{chat.id}/messages", json={"content": "How deep is the harbour?", "model": echo}
    )

    assert response.status_code == 200, response.text
    question, reply = response.json()["question"], response.json()["reply"]
    assert question["role"] == "user"
    assert question["content"] == "How deep is the harbour?"
    assert reply["parent_id"] == question["id"]
    assert reply["status"] == "finished"
    assert "How deep is the harbour?" in reply["content"]
    assert reply["model"] == echo
    assert reply["error"] is None
    assert reply["input_tokens"] > 0
    assert reply["output_tokens"] > 0
    assert not reply["tokens_are_estimated"]


async def test_a_conversation_is_remembered(cast: Cast, echo: str) -> None:
    chat = await cast.alice.starts_a_chat()
    for question in ("One?", "Two?", "Three?"):
        await cast.alice.client.post(
            f"/api/chats/{chat.id}/messages", json={"content": question, "model": echo}
        )

    first = (await cast.alice.client.get(f"/api/chats/{chat.id}/messages?limit=4")).json()
    rest = (
        await cast.alice.client.get(f"/api/chats/{chat.id}/messages?limit=4&before={first['next']}")
    ).json()

    said = [
        message["content"] for message in rest["messages"] + first["messages"] if message["role"] == "user"
    ]
    assert said == ["One?", "Two?", "Three?"]
    assert rest["next"] is None


async def test_an_error_is_told_and_never_becomes_context(cast: Cast, echo: str, database: Database) -> None:
    chat = await cast.alice.starts_a_chat()
    address = f"/api/chats/{chat.id}/messages"

    failed = (
        await cast.alice.client.post(address, json={"content": "/fail out_of_credit", "model": echo})
    ).json()
    answered = (await cast.alice.client.post(address, json={"content": "And now?"})).json()

    assert failed["reply"]["status"] == "failed"
    assert failed["reply"]["content"] == ""
    assert failed["reply"]["error"]["code"] == "out_of_credit"
    assert answered["reply"]["status"] == "finished"


async def test_sending_the_same_message_twice_stores_it_once(cast: Cast, echo: str) -> None:
    chat = await cast.alice.starts_a_chat()
    message = {"content": "Only once, please.", "model": echo, "key": "a name of its own"}

    first = (await cast.alice.client.post(f"/api/chats/{chat.id}/messages", json=message)).json()
    second = (await cast.alice.client.post(f"/api/chats/{chat.id}/messages", json=message)).json()

    assert second["question"]["id"] == first["question"]["id"]
    assert second["reply"]["id"] == first["reply"]["id"]
    listed = (await cast.alice.client.get(f"/api/chats/{chat.id}/messages")).json()["messages"]
    assert len(listed) == 2


async def test_a_key_names_one_message_of_one_conversation(cast: Cast, echo: str) -> None:
    here, there = await cast.alice.starts_a_chat("Here"), await cast.alice.starts_a_chat("There")
    message = {"content": "Hello", "model": echo, "key": "first"}
    await cast.alice.client.post(f"/api/chats/{here.id}/messages", json=message)

    elsewhere = await cast.alice.client.post(f"/api/chats/{there.id}/messages", json=message)

    assert elsewhere.status_code == 409
    assert (await cast.alice.client.get(f"/api/chats/{there.id}/messages")).json()["messages"] == []


async def test_programs_and_pages_store_titles_and_instructions_alike(cast: Cast) -> None:
    chat = await cast.alice.starts_a_chat("Harbour")
    address = f"/api/chats/{chat.id}"

    empty = await cast.alice.client.patch(address, json={"title": "  "})
    told = await cast.alice.client.patch(address, json={"system_prompt": " One\r\nTwo \n"})
    nul = [
        await cast.alice.client.patch(address, json={"title": "a\x00b"}),
        await cast.alice.client.patch(address, json={"system_prompt": "a\x00b"}),
        await cast.alice.client.post("/api/chats", json={"system_prompt": "a\x00b"}),
        await cast.alice.client.post(f"/chats/{chat.id}/title", data={"title": "a\x00b"}),
    ]

    assert empty.json()["title"] == "Harbour"
    assert told.json()["system_prompt"] == "One\nTwo"
    assert [response.status_code for response in nul] == [422] * 4
