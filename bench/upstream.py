"""A provider of the benchmark's own, as a process: OpenAI's protocol, a fixed delay and a fixed rate.

A question says how it is to be answered: `tokens=100 rate=20 delay=0.1` (tokens per second, seconds). Every
token carries its number, when it was sent, and when the request came: `7:1234:1200 `, in nanoseconds of the
clock that all processes of a machine share.
"""

import asyncio
import json
import re
import sys
import time

import uvloop
from aiohttp import web

MODEL = "steady"
WISH = re.compile(r"tokens=(\d+) rate=([\d.]+) delay=([\d.]+)")


def wish(tokens: int, rate: float, delay: float) -> str:
    """The question that asks for this answer."""
    return f"tokens={tokens} rate={rate} delay={delay}"


async def list_models(_: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})


async def complete(request: web.Request) -> web.StreamResponse:
    received = time.monotonic_ns()
    body = await request.json()
    asked = WISH.search(str(body["messages"][-1]["content"]))
    if asked is None:
        raise web.HTTPBadRequest
    tokens, rate, delay = int(asked[1]), float(asked[2]), float(asked[3])
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    begun = time.monotonic() + delay
    for number in range(tokens):
        # By the clock and not by pauses, so that a busy machine does not slow the rate down.
        await asyncio.sleep(begun + number / rate - time.monotonic())
        await response.write(_chunk({"content": f"{number}:{time.monotonic_ns()}:{received} "}))
    await response.write(_chunk({}, finish="stop"))
    usage = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": tokens + 10}
    await response.write(_line({"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": usage}))
    await response.write(b"data: [DONE]\n\n")
    return response


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _line({"id": "c", "object": "chat.completion.chunk", "model": MODEL, "choices": [choice]})


def _line(data: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def main(port: int) -> None:
    app = web.Application()
    app.router.add_get("/v1/models", list_models)
    app.router.add_post("/v1/chat/completions", complete)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None, loop=uvloop.new_event_loop())


if __name__ == "__main__":
    main(int(sys.argv[1]))
