"""Readers of replies: raw server-sent events over aiohttp, looked at only after the last one came."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp

from bench.installation import MODEL
from bench.upstream import wish

MILLISECOND = 1_000_000


@dataclass(frozen=True)
class Token:
    """One token: its number, when the upstream had been asked and sent it, and when it was here (nanoseconds)."""

    number: int
    asked: int
    sent: int
    arrived: int

    @property
    def delay_ms(self) -> float:
        return (self.arrived - self.sent) / MILLISECOND


@dataclass(frozen=True)
class Heard:
    """A reply as its reader heard it. `posted` is when the question was sent (nanoseconds)."""

    posted: int
    tokens: list[Token]
    ended_with: str
    content: str

    @property
    def first_token_overhead_ms(self) -> float:
        """From the question to the first token, without the time that the upstream took for it."""
        first = self.tokens[0]
        return (first.arrived - self.posted - (first.sent - first.asked)) / MILLISECOND

    def lost(self, expected: int) -> int:
        """How many of the expected tokens did not come exactly once, in order, and stay in the text."""
        in_order = sum(token.number == place for place, token in enumerate(self.tokens))
        kept = len(self.content.split())
        return expected - min(in_order, kept) + max(0, len(self.tokens) - expected)


class Reader:
    """Talks to one Parley through its JSON API."""

    def __init__(self, url: str, key: str) -> None:
        self._session = aiohttp.ClientSession(
            url,
            headers={"authorization": f"Bearer {key}"},
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
        )

    async def close(self) -> None:
        await self._session.close()

    async def start_chat(self, title: str) -> str:
        async with self._session.post("/api/chats", json={"title": title, "model": MODEL}) as response:
            response.raise_for_status()
            chat_id: str = (await response.json())["id"]
            return chat_id

    async def ask(self, chat_id: str, *, tokens: int, rate: float, delay: float = 0.02) -> Heard:
        """Ask, and read the reply to its end."""
        question = {"content": wish(tokens, rate, delay), "model": MODEL}
        posted = time.monotonic_ns()
        async with self._session.post(
            f"/api/chats/{chat_id}/messages", json=question, headers={"accept": "text/event-stream"}
        ) as response:
            response.raise_for_status()
            pieces = [(time.monotonic_ns(), piece) async for piece in response.content.iter_any()]
        return _heard(posted, pieces)


def _heard(posted: int, pieces: list[tuple[int, bytes]]) -> Heard:
    tokens: list[Token] = []
    ended_with, content, unread = "nothing", "", ""
    for arrived, name, data in _events(pieces):
        if name == "delta":
            *whole, unread = (unread + data["text"]).split(" ")
            tokens.extend(_token(text, arrived) for text in whole)
        elif name in ("done", "error"):
            ended_with, content = name, data["content"]
    return Heard(posted, tokens, ended_with, content)


def _events(pieces: list[tuple[int, bytes]]) -> Iterator[tuple[int, str, dict[str, str]]]:
    """When each event was complete, its name and its data."""
    buffer = b""
    for arrived, piece in pieces:
        *blocks, buffer = (buffer + piece).split(b"\n\n")
        for block in blocks:
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if b"event" in fields:
                yield arrived, fields[b"event"].decode(), json.loads(fields[b"data"])


def _token(text: str, arrived: int) -> Token:
    number, sent, asked = text.split(":")
    return Token(int(number), int(asked), int(sent), arrived)
