"""A line between two programs that can go dead without a word, as networks do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

LONGEST_CHUNK = 65_536


@dataclass
class Proxy:
    """Forwards connections to a port of this machine; those on which `word` was said can be frozen."""

    word: bytes
    port: int = 0
    _is_frozen: bool = False
    _chosen: set[asyncio.StreamWriter] = field(default_factory=set)
    _dead: set[asyncio.StreamWriter] = field(default_factory=set)

    def freeze(self) -> None:
        """What is said either way is swallowed, and nobody is told. New connections fare no better."""
        self._is_frozen = True
        self._dead |= self._chosen

    def thaw(self) -> None:
        """New connections work. Those that were frozen stay dead until their owner hangs up."""
        self._is_frozen = False

    async def accept(self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", target)
        ends = {writer, there_writer}
        await asyncio.gather(
            self._forward(reader, there_writer, ends), self._forward(there_reader, writer, ends)
        )
        self._chosen -= ends
        self._dead -= ends

    async def _forward(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, ends: set[asyncio.StreamWriter]
    ) -> None:
        with suppress(OSError):
            while chunk := await source.read(LONGEST_CHUNK):
                if self.word in chunk:
                    self._chosen |= ends
                    self._dead |= ends if self._is_frozen else set()
                if target not in self._dead:
                    target.write(chunk)
                    await target.drain()
        target.close()


@asynccontextmanager
async def proxy_to(port: int, word: bytes) -> AsyncIterator[Proxy]:
    """A proxy in front of a port of this machine, for as long as the block runs."""
    proxy = Proxy(word)
    server = await asyncio.start_server(lambda *ends: proxy.accept(port, *ends), "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
