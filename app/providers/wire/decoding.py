"""Cuts a stream of bytes into messages, wherever the network cut it into chunks.

Bytes are decoded only when a message is whole, so that no character is ever split.
"""

from typing import Protocol

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LARGEST_MESSAGE = 8_000_000


class MessageTooLarge(Exception):
    """A line or message grew past what any provider sends; reading on would only fill the memory."""


class Decoder(Protocol):
    def feed(self, chunk: bytes) -> list[bytes]:
        """The messages that `chunk` completed. Raises MessageTooLarge."""
        ...

    def end(self) -> list[bytes]:
        """What was still open when the stream ended."""
        ...


class JsonLines:
    """NDJSON: every line that is not empty is a message."""

    def __init__(self) -> None:
        self._lines = _Lines()

    def feed(self, chunk: bytes) -> list[bytes]:
        return [line for line in self._lines.feed(chunk) if line.strip()]

    def end(self) -> list[bytes]:
        return [line for line in self._lines.end() if line.strip()]


class ServerSentEvents:
    """Server-sent events: the `data` of each. Comments, names and ids are passed over.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """

    def __init__(self) -> None:
        self._lines = _Lines()
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        return self._messages(self._lines.feed(chunk))

    def end(self) -> list[bytes]:
        # The standard drops an event without its blank line; servers that hang up right after the
        # last event are too common for that. What was cut in the middle fails as JSON.
        return self._messages([*self._lines.end(), b""])

    def _messages(self, lines: list[bytes]) -> list[bytes]:
        return [message for line in lines if (message := self._take(line)) is not None]

    def _take(self, line: bytes) -> bytes | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        if field == b"data":
            self._size += len(value)
            if self._size > LARGEST_MESSAGE:
                raise MessageTooLarge
            self._data.append(value.removeprefix(b" "))
        return None

    def _dispatch(self) -> bytes | None:
        if not self._data:
            return None
        message = b"\n".join(self._data)
        self._data.clear()
        self._size = 0
        return message


class _Lines:
    """Lines that end in LF, CRLF or CR; a byte order mark at the start is dropped."""

    def __init__(self) -> None:
        self._open = bytearray()
        self._is_first = True
        self._ended_in_return = False

    def feed(self, chunk: bytes) -> list[bytes]:
        if self._ended_in_return and chunk.startswith(b"\n"):
            # The second half of a CRLF whose first half ended the line in the chunk before.
            chunk = chunk[1:]
            self._ended_in_return = False
        if not chunk:
            return []
        self._ended_in_return = chunk.endswith(b"\r")
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return self._split(chunk)

    def end(self) -> list[bytes]:
        return [self._close()] if self._open else []

    def _split(self, chunk: bytes) -> list[bytes]:
        *complete, rest = chunk.split(b"\n")
        lines = []
        for piece in complete:
            self._open += piece
            lines.append(self._close())
        self._open += rest
        if len(self._open) > LARGEST_MESSAGE:
            raise MessageTooLarge
        return lines

    def _close(self) -> bytes:
        line = bytes(self._open)
        self._open.clear()
        if self._is_first:
            self._is_first = False
            return line.removeprefix(BYTE_ORDER_MARK)
        return line
