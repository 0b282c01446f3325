"""The server and clients that take their time."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import connect

from app.catalog.models import Connection, Model
from app.commands import protocol
from app.core.database import Database
from tests.cast import Cast
from tests.waiting import SECONDS_TO_WAIT

PATIENCE = 1.0
HEAD = b"GET /health HTTP/1.1\r\nHost: parley\r\n"

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def port(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Of a server as `parley serve` runs it, but less patient."""
    monkeypatch.setattr(protocol, "SECONDS_FOR_A_HEAD", PATIENCE)
    config = uvicorn.Config(
        app,
        port=0,
        http=protocol.Protocol,
        ws="websockets-sansio",
        lifespan="off",
        log_level="error",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  (uvicorn tells in no other way)
        await asyncio.sleep(0.005)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    await serving


@pytest.fixture
async def line(port: int) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield reader, writer
    writer.close()


async def until_hung_up(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.read(), SECONDS_TO_WAIT)


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS_TO_WAIT)
    length = next(row for row in head.lower().split(b"\r\n") if row.startswith(b"content-length"))
    return head + await reader.readexactly(int(length.partition(b":")[2]))


async def test_who_says_nothing_is_hung_up_on(line: Line) -> None:
    assert await until_hung_up(line[0]) == b""


async def test_who_never_comes_to_the_point_is_hung_up_on(line: Line) -> None:
    reader, writer = line
    writer.write(HEAD)

    async def go_on() -> None:
        while True:
            writer.write(b"X-More: and more\r\n")
            await asyncio.sleep(PATIENCE / 10)

    talking = asyncio.create_task(go_on())
    assert await until_hung_up(reader) == b""
    talking.cancel()


async def test_the_second_request_of_a_line_is_not_waited_for_without_end_either(line: Line) -> None:
    reader, writer = line
    writer.write(HEAD + b"\r\n")
    assert b"200 OK" in await answer(reader)

    await asyncio.sleep(PATIENCE * 2)
    writer.write(HEAD + b"\r\n")
    assert b"200 OK" in await answer(reader), "a line may rest between requests"

    writer.write(HEAD)
    assert await until_hung_up(reader) == b""


async def test_empty_lines_keep_no_line_open(line: Line) -> None:
    reader, writer = line
    writer.write(HEAD + b"\r\n")
    assert b"200 OK" in await answer(reader)

    writer.write(b"\r\n")
    assert await until_hung_up(reader) == b""


@pytest.fixture
async def echo(database: Database) -> str:
    """Echo is connected; returns the name of its model."""
    async with database.writing() as session:
        connection = Connection(name="echo", label="Echo", kind="echo")
        session.add(connection)
        await session.flush()
        session.add(Model(connection_id=connection.id, name="echo", display_name="Echo", is_enabled=True))
    return "echo/echo"


async def test_who_begins_the_next_request_too_soon_still_gets_the_whole_answer(
    line: Line, cast: Cast, echo: str
) -> None:
    key = (await cast.alice.client.post("/api/keys", json={"name": "Tools"})).json()["secret"]
    reader, writer = line
    body = json.dumps({"model": echo, "messages": [{"role": "user", "content": "word " * 100}]}).encode()
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: parley\r\nAuthorization: Bearer " + key.encode()
    )
    writer.write(b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body + HEAD)

    assert b"200 OK" in await answer(reader)


async def test_a_long_body_may_take_its_time(line: Line) -> None:
    reader, writer = line
    writer.write(b"POST /login HTTP/1.1\r\nHost: parley\r\nContent-Length: 20\r\n")
    writer.write(b"Content-Type: application/x-www-form-urlencoded\r\n\r\nlogin=alice")
    await asyncio.sleep(PATIENCE * 2)
    writer.write(b"&password")

    assert b"HTTP/1.1 422" in await answer(reader)


async def test_a_socket_stays_open(port: int, cast: Cast) -> None:
    chat = await cast.alice.starts_a_chat()
    key = (await cast.alice.client.post("/api/keys", json={"name": "Tools"})).json()["secret"]

    async with connect(
        f"ws://127.0.0.1:{port}/ws/chats/{chat.id}", additional_headers={"x-api-key": key}
    ) as socket:
        await socket.recv()
        await asyncio.sleep(PATIENCE * 2)
        await socket.send("{}")
        assert "refused" in str(await asyncio.wait_for(socket.recv(), SECONDS_TO_WAIT))
