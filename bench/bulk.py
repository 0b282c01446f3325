"""Whether large requests hold up a small one beside them."""

import asyncio
import socket
from base64 import b64encode
from collections.abc import Iterator
from random import Random
from statistics import median
from urllib.parse import urlsplit

from bench.askers import Asker, Server, connected
from bench.instant import INSTANT
from bench.table import Row

LIMIT_MS = 20
ALONE = 200
IMAGES, BYTES_OF_AN_IMAGE = 5, 2_000_000
BYTES_OF_TEXT = 1_000_000
TURNS, WORDS_OF_A_TURN = 512, 250
"""128,000 tokens, nearly."""


async def measure_bulk(parley: Server, rounds: int) -> list[Row]:
    """Of each kind of request, several times: the longest that a small request beside it waited more than usual."""
    async with connected(parley) as [asker]:
        small = parley.question(INSTANT, streaming=False)
        usual = median([(await asker.ask(small)).total_ms for _ in range(ALONE)])
        rows = []
        for name, request in _large_requests(parley):
            longest = [await _longest_beside(parley, asker, small, request) for _ in range(rounds)]
            held_up = median(longest) - usual
            rows.append(Row(f"API, small request held up by {name}", held_up, "ms", LIMIT_MS))
    return rows


async def _longest_beside(parley: Server, asker: Asker, small: bytes, large: bytes) -> float:
    """Milliseconds of the slowest small request while a large one is sent, read and answered."""
    # In a thread: sending so much must not hold up the one that measures.
    sending = asyncio.create_task(asyncio.to_thread(_send, parley.url, large))
    taken = []
    while not sending.done():
        taken.append((await asker.ask(small)).total_ms)
    await sending
    return max(taken)


def _send(url: str, request: bytes) -> None:
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(request)
        received = connection.recv(65_536)
    if not received.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"Not the upstream's answer: {received[:1500].decode(errors='replace')}")


def _large_requests(parley: Server) -> Iterator[tuple[str, bytes]]:
    yield "10 MB of images", parley.question(INSTANT, streaming=False, content=_images())
    text = "The lamps of the harbour are lit. " * (BYTES_OF_TEXT // 34)
    yield "1 MB of text", parley.question(INSTANT, streaming=False, content=text)
    turn = "lamp " * WORDS_OF_A_TURN
    messages = [{"role": ("user", "assistant")[number % 2], "content": turn} for number in range(TURNS - 1)]
    document = {"model": parley.prefix + INSTANT, "messages": messages, "stream": False}
    yield "a context of 128,000 tokens", parley.request(document)


def _images() -> list[dict[str, object]]:
    chance = Random(1)  # noqa: S311  (the same bytes each time, nothing secret)
    return [{"type": "text", "text": "What is on these?"}, *(_image(chance) for _ in range(IMAGES))]


def _image(chance: Random) -> dict[str, object]:
    # Known by its first bytes; nobody looks at the rest.
    content = b"\x89PNG\r\n\x1a\n" + chance.randbytes(BYTES_OF_AN_IMAGE)
    return {"type": "image_url", "image_url": {"url": "data:image/png;base64," + b64encode(content).decode()}}
