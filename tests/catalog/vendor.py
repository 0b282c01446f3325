"""A small vendor of models that speaks the OpenAI API: it knows its keys, and can refuse, lie or fall silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
import pytest
from aiohttp import web

GOOD_KEY = "sk-vendor-3f9a8b7c6d5e4f3a2b1c"
OTHER_KEY = "sk-vendor-9z8y7x6w5v4u3t2s1r0q"


@dataclass
class Vendor:
    """`keys` are accepted, `models` are offered; keys in `limited_keys` have no calls left.

    `mood` is `well`, `lying`, `silent`, `breaking`, `limited`, `overloaded` or `forbidding`; `away` hangs up before it answers.
    """

    url: str = ""
    keys: set[str] = field(default_factory=lambda: {GOOD_KEY})
    models: list[str] = field(default_factory=lambda: ["gpt-large", "gpt-small", "text-embedding-big"])
    mood: str = "well"
    keys_seen: list[str] = field(default_factory=list)
    limited_keys: set[str] = field(default_factory=set)
    seconds_to_wait: int = 30
    """What `retry-after` says: too long to be waited for."""
    words: tuple[str, ...] = ("Good ", "morning, ", "Alice.")

    async def list_models(self, request: web.Request) -> web.StreamResponse:
        if refusal := await self._refusal(request):
            return refusal
        return web.json_response({"object": "list", "data": [{"id": name} for name in self.models]})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        if refusal := await self._refusal(request):
            return refusal
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for word in self.words:
            await response.write(_chunk({"choices": [{"index": 0, "delta": {"content": word}}]}))
        if self.mood == "breaking":
            return response
        usage = {"prompt_tokens": 21, "completion_tokens": 3, "total_tokens": 24}
        await response.write(_chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        await response.write(_chunk({"choices": [], "usage": usage}))
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _refusal(self, request: web.Request) -> web.Response | None:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.keys_seen.append(key)
        if self.mood == "silent":
            await asyncio.sleep(30)
        if self.mood == "lying":
            return web.Response(text="<html><h1>Welcome to the router</h1></html>", content_type="text/html")
        if key not in self.keys:
            # As some vendors do: the refused key is repeated in the message.
            error = {"message": f"Incorrect API key provided: {key}.", "code": "invalid_api_key"}
            return web.json_response({"error": error}, status=401)
        if self.mood == "limited" or key in self.limited_keys:
            waiting = {"retry-after": str(self.seconds_to_wait)}
            return web.json_response({"error": {"message": "Slow down."}}, status=429, headers=waiting)
        if self.mood == "forbidding":
            refused = {"message": "Your input was flagged.", "type": "permission_error"}
            return web.json_response({"error": refused}, status=403)
        if self.mood == "overloaded":
            return web.json_response({"error": {"message": "Too much to do."}}, status=503)
        if self.mood == "away" and request.transport is not None:
            request.transport.close()
        return None


def _chunk(body: dict[str, object]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"


@asynccontextmanager
async def running_vendor() -> AsyncIterator[Vendor]:
    """A vendor that runs on this machine for as long as the block lasts."""
    vendor = Vendor()
    application = web.Application()
    application.router.add_get("/v1/models", vendor.list_models)
    application.router.add_post("/v1/chat/completions", vendor.complete)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    vendor.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield vendor
    await runner.cleanup()


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    """A vendor that runs on this machine for one test."""
    async with running_vendor() as vendor:
        yield vendor
