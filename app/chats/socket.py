"""/ws/chats/{id}: a conversation over a WebSocket, for programs that talk and listen on one line."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnected

from app.accounts.access import Identity, Scope, still_valid
from app.accounts.socket_access import SocketIdentity
from app.chats.access import chat_of, hub_of
from app.chats.dialogue import Dialogue, House, Send
from app.chats.frames import FRAME, Frame
from app.chats.streaming import until_signed_out
from app.core.database import database_of
from app.core.database_errors import FAILED, TOLD, told
from app.core.errors import Invalid, NotFound, ParleyError, TooMany
from app.live.seats import AllTaken, Seats
from app.live.stopping import Stopping

router = APIRouter()

LARGE_FRAME = 1_000_000
"""Characters from which on a frame is read in a thread, so that nobody else waits."""
GOING_AWAY, NOT_TEXT, SIGNED_OUT, TOO_LARGE, FAILING = 1001, 1003, 1008, 1009, 1011
GONE = 4404
REASONS = {
    GOING_AWAY: "The server stops. Open the socket again.",
    NOT_TEXT: "Frames are JSON, as text.",
    SIGNED_OUT: "The key or the session has ended.",
    TOO_LARGE: "This frame is too large.",
    FAILING: "The database does not answer just now. Open the socket again in a moment.",
    GONE: "The conversation was deleted.",
}
"""By the code with which a socket is closed; 4000 and above are ours to give."""
OFF_THE_LINE = (WebSocketDisconnect, WebSocketDisconnected)
"""What sending raises once the other side is gone: the first one at first, the second ever after."""


class Hangup(Exception):
    """The other side sent what ends the conversation."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@router.websocket("/ws/chats/{chat_id}")
async def converse(socket: WebSocket, chat_id: str, identity: SocketIdentity) -> None:
    """Refusals come as an answer to the handshake, with a status and a sentence like everywhere else."""
    identity.caller.require(Scope.CHAT)
    async with database_of(socket).reading() as session:
        await chat_of(session, identity.user, chat_id)
    seats: Seats = socket.app.state.seats
    try:
        # Whoever leaves before the first word, or while being hung up on, is told nothing more.
        with seats.seat(identity.user.id), suppress(*OFF_THE_LINE):
            await socket.accept()
            code = await _talk(socket, identity, chat_id)
            if code:
                await socket.close(code, REASONS[code])
    except AllTaken as error:
        raise TooMany(
            "You have very many sockets and pages open. Close some first.", retry_after=30
        ) from error


async def _talk(socket: WebSocket, identity: Identity, chat_id: str) -> int:
    """The code to hang up with; 0 when the other side did."""
    state = socket.app.state
    house = House(database_of(socket), hub_of(socket), state.replies, state.settings, state.tasks)
    stopping: Stopping = state.stopping

    async def send(frame: Mapping[str, object]) -> None:
        # Whoever is gone hears nothing more; that they are is noticed where they are listened to.
        with suppress(*OFF_THE_LINE):
            await socket.send_text(orjson.dumps(frame).decode())

    try:
        async with Dialogue(house, identity, chat_id, send) as dialogue:
            await dialogue.greet()
            code = await _first_to_end(
                (_hear(socket, identity, dialogue, send), SIGNED_OUT),
                (dialogue.listen(), GONE),
                (until_signed_out(house.database, house.hub, stopping, identity), SIGNED_OUT),
            )
    except WebSocketDisconnect:
        return 0
    except Hangup as error:
        return error.code
    except NotFound:
        return GONE
    except FAILED as error:
        told(error)  # to the log
        return FAILING
    return GOING_AWAY if stopping.has_begun else code


async def _first_to_end(*works: tuple[Coroutine[Any, Any, None], int]) -> int:
    """The code of the one that ends before the others do, which are ended then. Raises what it raised."""
    codes = {asyncio.create_task(work): code for work, code in works}
    try:
        done, _ = await asyncio.wait(codes, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in codes:
            task.cancel()
        await asyncio.gather(*codes, return_exceptions=True)
    first = done.pop()
    first.result()
    return codes[first]


async def _hear(socket: WebSocket, identity: Identity, dialogue: Dialogue, send: Send) -> None:
    """Do what is asked for, frame by frame; what cannot be done is said. Returns when the key or session ended."""
    longest = socket.app.state.settings.max_request_bytes
    while True:
        text = await _next_text(socket, longest)
        try:
            # Looked at for each frame: what is revoked says nothing more.
            if not await still_valid(database_of(socket), identity):
                return
            await dialogue.do(await _frame(text))
        except ParleyError as error:
            await send(_refused(error))
        except TOLD as error:
            await send(_refused(told(error)))


def _refused(error: ParleyError) -> Mapping[str, object]:
    field = {"field": error.field} if isinstance(error, Invalid) and error.field else {}
    return {"event": "refused", "data": {"code": error.code, "message": error.message, **field}}


async def _next_text(socket: WebSocket, longest: int) -> str:
    """Raises WebSocketDisconnect, or Hangup for what is no text or too much of it."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    if text is None:
        raise Hangup(NOT_TEXT)
    if len(text) > longest:
        raise Hangup(TOO_LARGE)
    return str(text)


async def _frame(text: str) -> Frame:
    """Raises Invalid."""
    try:
        if len(text) > LARGE_FRAME:
            return await asyncio.to_thread(FRAME.validate_json, text)
        return FRAME.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        # The first part is the kind of frame that was meant.
        field = ".".join(map(str, first["loc"][1:])) or None
        raise Invalid(f"{field or 'This frame'}: {first['msg']}.", field=field) from error
