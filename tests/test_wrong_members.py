"""Whatever has an owner, asked for by the wrong member who knows its real id: not found, and nothing happens."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from app.core.settings import Settings
from app.main import create_app
from tests.cast import Cast, Person
from tests.chats.conftest import echo  # noqa: F401  (a fixture)
from tests.test_every_door import DOORS, Door

PARAMETER = re.compile(r"{(\w+)(?::path)?}")
NOBODYS = {"section", "name", "model_id", "token"}
"""Pages, files and models, which other rules are about; and what is a secret itself."""
SECRET, KEY_NAME, GROUP_NAME = "The vault's number is 4711", "Night shift", "Lighthouse keepers"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
SOCKETS = {"/ws/chats/{chat_id}"}
"""Walked in tests/chats/test_socket.py; whatever is added has a story of its own."""


@dataclass
class Bobs:
    """What is Bob's, by the name of the parameter that asks for it."""

    ids: dict[str, str]

    def of(self, path: str) -> str:
        return PARAMETER.sub(lambda found: self.ids[found[1]], path)


def owned() -> Iterator[Door]:
    for method, path in DOORS:
        if not path.startswith("/admin") and set(PARAMETER.findall(path)) - NOBODYS:
            yield method, path


@pytest.fixture
async def bobs(cast: Cast, echo: str) -> Bobs:  # noqa: F811  (a fixture's way to be asked for)
    chat = await cast.bob.starts_a_chat(SECRET)
    message = {"content": SECRET, "model": echo, "images": [base64.b64encode(PNG).decode()], "key": "mine"}
    asked = await cast.bob.client.post(f"/api/chats/{chat.id}/messages", json=message)
    question = asked.json()["question"]
    key = (await cast.bob.client.post("/api/keys", json={"name": KEY_NAME})).json()
    group = (await cast.alice.client.post("/api/groups", json={"name": GROUP_NAME})).json()
    members = f"/api/groups/{group['id']}/members"
    joined = await cast.alice.client.post(members, json={"login": "bob", "is_manager": True, "is_main": True})
    assert joined.status_code == 201, joined.text
    connection = re.search(
        r"/admin/connections/(\w{16})", (await cast.alice.client.get("/admin/connections")).text
    )
    assert connection is not None
    return Bobs(
        {
            "chat_id": chat.id,
            "message_id": question["id"],
            "image_id": question["images"][0]["id"],
            "key_id": key["id"],
            "group_id": group["id"],
            "user_id": cast.bob.id,
            "session_id": cast.bob.session_id,
            "connection_id": connection[1],
        }
    )


async def what_bob_sees(cast: Cast, bobs: Bobs) -> list[Any]:
    seen = [
        await cast.bob.client.get(bobs.of(path))
        for path in ("/api/chats/{chat_id}", "/api/chats/{chat_id}/messages", "/api/keys")
    ]
    seen.append(await cast.alice.client.get(bobs.of("/api/groups/{group_id}")))
    assert all(response.status_code == 200 for response in seen)
    return [response.json() for response in seen]


async def is_refused(person: Person, door: Door, place: str) -> None:
    method, path = door
    given = {"title": "Mine", "content": "Mine", "name": "Mine", "login": "charlie", "is_manager": True}
    body = {} if method == "GET" else {"json": given} if path.startswith("/api") else {"data": given}
    response = await person.client.request(method, place, **body)  # type: ignore[arg-type]

    assert response.status_code == 404, (door, response.status_code)
    for word in (SECRET, KEY_NAME, GROUP_NAME):
        assert word not in response.text, door


def test_everything_that_has_an_owner_is_walked() -> None:
    sockets = {
        str(route.path)
        for route in iter_route_contexts(create_app(Settings(_env_file=None)).routes)
        if not route.methods and route.path and "{" in route.path
    }

    assert len(list(owned())) > 40
    assert sockets == SOCKETS


async def test_with_the_real_ids(cast: Cast, bobs: Bobs) -> None:
    before = await what_bob_sees(cast, bobs)
    for method, path in owned():
        await is_refused(cast.charlie, (method, path), bobs.of(path))

    assert await what_bob_sees(cast, bobs) == before
    assert SECRET in str(before)


async def test_an_administrator_is_the_wrong_member_for_what_is_personal(cast: Cast, bobs: Bobs) -> None:
    before = await what_bob_sees(cast, bobs)
    for method, path in owned():
        # What was used, and groups and connections, are hers to look after.
        if "/workspace/" not in path and not {"group_id", "connection_id"} & set(PARAMETER.findall(path)):
            await is_refused(cast.alice, (method, path), bobs.of(path))

    assert await what_bob_sees(cast, bobs) == before


async def test_what_is_bobs_is_not_found_in_what_is_ones_own(cast: Cast, bobs: Bobs, echo: str) -> None:  # noqa: F811
    chat = await cast.charlie.starts_a_chat("Tides")
    message = {"content": "Hello", "model": echo, "key": "mine"}
    asked = await cast.charlie.client.post(f"/api/chats/{chat.id}/messages", json=message)
    assert asked.json()["question"]["content"] == "Hello", "Bob's key of a message is Bob's"
    own = Bobs(bobs.ids | {"chat_id": chat.id})
    for method, path in owned():
        if {"message_id", "image_id"} & set(PARAMETER.findall(path)):
            await is_refused(cast.charlie, (method, path), own.of(path))
    own.ids["message_id"] = asked.json()["question"]["id"]
    for method, path in owned():
        if "{image_id}" in path:
            await is_refused(cast.charlie, (method, path), own.of(path))
    branch = await cast.charlie.client.put(
        f"/api/chats/{chat.id}/branch", json={"message_id": bobs.ids["message_id"]}
    )
    assert branch.status_code == 404


@pytest.mark.parametrize("path", ["/", "/usage", "/usage/export", "/api/usage", "/api/chats"])
async def test_no_question_in_an_address_widens_what_one_sees(cast: Cast, bobs: Bobs, path: str) -> None:
    asked = {
        "user": bobs.ids["user_id"],
        "key": bobs.ids["key_id"],
        "group": bobs.ids["group_id"],
        "chat": bobs.ids["chat_id"],
        "model": "echo/echo-fast",
    }
    response = await cast.charlie.client.get(path, params=asked)

    assert response.status_code == 200
    for word in (SECRET, KEY_NAME, GROUP_NAME, "Bob Archer"):
        assert word not in response.text
