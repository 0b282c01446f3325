"""An Ollama that holds models in memory, as long as it takes, and nothing more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

GONE = "gone"
"""The one model that it cannot load."""


class MemoryServer:
    """`held` is what is in memory. Loading waits for `may_load`; meanwhile a model is `coming`, and listed as well."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.coming: list[str] = []
        self.may_load = asyncio.Event()
        self.may_load.set()
        self.url = ""

    async def list_held(self, request: web.Request) -> web.Response:
        sizes = {"size": 5_000_000_000, "size_vram": 4_000_000_000}
        return web.json_response({"models": [{"name": name, **sizes} for name in self.held + self.coming]})

    async def generate(self, request: web.Request) -> web.Response:
        asked = await request.json()
        name = asked["model"]
        if name == GONE:
            return web.json_response({"error": f"model '{name}' not found"}, status=404)
        if asked["keep_alive"] == 0:
            self.held = [held for held in self.held if held != name]
        else:
            self.coming = [name]
            await self.may_load.wait()
            self.coming = []
            self.held.append(name)
        return web.json_response({"model": name, "done": True})


@asynccontextmanager
async def running() -> AsyncIterator[MemoryServer]:
    server = MemoryServer()
    app = web.Application()
    app.router.add_get("/api/ps", server.list_held)
    app.router.add_post("/api/generate", server.generate)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
