"""Nobody sees or changes a conversation that is not theirs, at any door."""

from collections import defaultdict

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.cast import Cast
from tests.chats.waiting import finished_replies

SECRET = "The vault's number is 4711"


def doors_of_a_chat(app: FastAPI) -> list[tuple[str, str]]:
    """Every method and path that leads into a conversation."""
    return sorted(
        (method, route.path)
        for route in iter_route_contexts(app.routes)
        if "{chat_id}" in (route.path or "")
        for method in route.methods or ()
    )


async def test_a_stranger_learns_nothing_at_any_door(app: FastAPI, cast: Cast, echo: str) -> None:
    started = await cast.alice.client.post("/chats", data={"body": SECRET, "model": echo})
    address = started.headers["location"]
    reply = (await finished_replies(cast.alice, address))[0]
    doors = doors_of_a_chat(app)
    assert len(doors) > 15

    for method, path in doors:
        for message_id in (reply["id"], reply["parent_id"]):
            known = {"chat_id": address.rsplit("/", 1)[1], "message_id": message_id}
            place = path.format_map(defaultdict(lambda: "nonsense", known))
            query = {"before": reply["id"]}
            for person in (cast.charlie, cast.bob):
                response = await person.client.request(method, place, params=query, **_body_for(path, method))
                assert response.status_code == 404, f"{method} {path}: {response.status_code}"
                assert SECRET not in response.text

    assert SECRET in (await cast.alice.client.get(address)).text


async def test_a_message_is_found_only_in_its_own_chat(cast: Cast, echo: str) -> None:
    alices = await cast.alice.client.post("/chats", data={"body": SECRET, "model": echo})
    reply = (await finished_replies(cast.alice, alices.headers["location"]))[0]
    charlies = (await cast.charlie.client.post("/chats", data={"body": "Hello", "model": echo})).headers[
        "location"
    ]

    for message_id in (reply["id"], reply["parent_id"]):
        for path in (
            f"{charlies}/messages/{message_id}/stream",
            f"/api{charlies}/messages/{message_id}/stream",
        ):
            assert (await cast.charlie.client.get(path)).status_code == 404
        chosen = await cast.charlie.client.post(f"{charlies}/variants/{message_id}")
        earlier = await cast.charlie.client.get(f"{charlies}/messages?before={message_id}")
        assert chosen.status_code == 404
        assert SECRET not in earlier.text


@pytest.mark.parametrize("nonsense", ["0", "x" * 500, "%00", "..%2f..", "💥", "' or 1=1 --"])
async def test_nonsense_is_not_found(cast: Cast, echo: str, nonsense: str) -> None:
    for path in (f"/chats/{nonsense}", f"/api/chats/{nonsense}", f"/api/chats/{nonsense}/messages"):
        assert (await cast.alice.client.get(path)).status_code == 404


@pytest.mark.parametrize("before", ["x", "-", "99999999999999999999999-x", "1e9-x", "\x00"])
async def test_a_broken_cursor_is_refused_with_a_sentence(cast: Cast, before: str) -> None:
    response = await cast.alice.client.get("/api/chats", params={"before": before})

    assert response.status_code in (200, 422)
    if response.status_code == 422:
        assert response.json()["error"]["message"]


def _body_for(path: str, method: str) -> dict[str, dict[str, str]]:
    if method in ("GET", "DELETE"):
        return {}
    if path.startswith("/api"):
        return {"json": {"title": "Mine now"} if method == "PATCH" else {"content": "Mine now"}}
    return {"data": {"title": "Mine now", "body": "Mine now"}}
