"""How HTTP is served: the head of a response leaves together with the first piece of its body, with one system call and
in one packet, and nobody waits without end for the head of a request."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

BEGINNING_OF_A_HEAD = b"HTTP/1."
SECONDS_FOR_A_HEAD = 30.0
"""From the connection, or from the first byte after an answer, to the end of the request's headers."""


class JoinedWrites:
    """A transport that keeps a head until something follows it; at the longest until the event loop's next turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head:
            self._transport.writelines((self._head, data))
            self._head = b""
        elif data.startswith(BEGINNING_OF_A_HEAD):
            self._head = data
            self._loop.call_soon(self._let_go)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._let_go()
        self._transport.close()

    def _let_go(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP, on such a transport; it hangs up on who takes too long to say what is wanted.

    Else anybody could keep all the connections that a process may have, by saying nothing on them.
    """

    _impatience: asyncio.TimerHandle | None = None
    _is_between_requests = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))
        self._wait_for_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # uvicorn lets a line rest for some seconds, but not once something came, be it an empty line, which begins no
        # request. While an answer is under way nobody hangs up: uvicorn may have stopped reading what comes next.
        if self._is_between_requests and self._impatience is None and self.cycle.response_complete:
            self._wait_for_a_head()
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._be_patient()
        self._is_between_requests = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_between_requests = True

    def _wait_for_a_head(self) -> None:
        self._impatience = self.loop.call_later(SECONDS_FOR_A_HEAD, self._hang_up)

    def _be_patient(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None

    def _hang_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
