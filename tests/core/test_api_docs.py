"""What programs and people are told of the JSON doors."""

from fastapi import FastAPI

from tests.cast import Visitor


async def test_every_json_door_is_described_with_its_errors(app: FastAPI, client: Visitor) -> None:
    document = (await client.get("/openapi.json")).json()

    doors = {path: operations for path, operations in document["paths"].items() if path.startswith("/api/")}
    assert "/api/chats/{chat_id}/messages" in doors
    for path, operations in doors.items():
        for method, operation in operations.items():
            assert {"401", "404", "422"} <= set(operation["responses"]), f"{method} {path}"
            assert operation["security"], f"{method} {path}"
            assert operation.get("description"), f"{method} {path}"
    assert not any(path.startswith(("/chats", "/admin")) for path in document["paths"])


async def test_the_page_names_every_door(client: Visitor) -> None:
    document = (await client.get("/openapi.json")).json()

    shown = await client.get("/docs")

    assert shown.status_code == 200
    for path in document["paths"]:
        assert path in shown.text
