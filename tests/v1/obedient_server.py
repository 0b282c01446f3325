"""The obedient model behind a socket, in the languages of OpenAI and of Ollama."""

import asyncio
import struct
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import orjson
from aiohttp import web

from tests.v1.obedient import Heard, Said, answer_to

Json = dict[str, Any]

MODEL = "obedient"
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


@contextmanager
def running() -> Iterator[str]:
    """The address of a server in a thread of its own, so that clients that wait do not wait for themselves."""
    loop, is_over = asyncio.new_event_loop(), Event()
    addresses: list[str] = []
    is_up = Event()

    async def serve() -> None:
        runner = web.AppRunner(_app())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        addresses.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        is_up.set()
        while not is_over.is_set():  # noqa: ASYNC110  (another thread sets it)
            await asyncio.sleep(0.02)
        await runner.cleanup()

    thread = Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    is_up.wait(10)
    try:
        yield addresses[0]
    finally:
        is_over.set()
        thread.join(10)
        loop.close()


def _app() -> web.Application:
    app = web.Application(client_max_size=50_000_000)
    app.router.add_get("/v1/models", _openai_models)
    app.router.add_post("/v1/chat/completions", _openai_chat)
    app.router.add_post("/v1/completions", _openai_completion)
    app.router.add_post("/v1/embeddings", _openai_embeddings)
    app.router.add_get("/api/tags", _ollama_tags)
    app.router.add_post("/api/show", _ollama_details)
    app.router.add_post("/api/chat", _ollama_chat)
    app.router.add_post("/api/generate", _ollama_generation)
    return app


# OpenAI's language


async def _openai_models(_request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})


async def _openai_chat(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    said = answer_to(_heard_by_openai(body))
    if body.get("stream"):
        chunks = [*_openai_deltas(said), {"choices": [], "usage": USAGE}]
        lines = [b"data: " + orjson.dumps(_openai_frame(body) | chunk) for chunk in chunks]
        return web.Response(
            body=b"\n\n".join([*lines, b"data: [DONE]", b""]), content_type="text/event-stream"
        )
    calls = [_openai_call(number, call) for number, call in enumerate(said.calls)]
    message = {"role": "assistant", "content": said.text or None} | ({"tool_calls": calls} if calls else {})
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    whole = {"object": "chat.completion", "choices": [choice], "usage": USAGE}
    return web.json_response(_openai_frame(body) | whole)


async def _openai_completion(request: web.Request) -> web.Response:
    body = await request.json()
    text = (body["prompt"] if body.get("echo") else "") + " and so on"
    frame = _openai_frame(body) | {"object": "text_completion"}
    choice = {"index": 0, "logprobs": None, "finish_reason": "stop"}
    if not body.get("stream"):
        return web.json_response(frame | {"choices": [choice | {"text": text}], "usage": USAGE})
    chunks: list[Json] = [
        {"choices": [choice | {"text": text, "finish_reason": None}]},
        {"choices": [choice | {"text": ""}]},
        {"choices": [], "usage": USAGE},
    ]
    lines = [b"data: " + orjson.dumps(frame | chunk) for chunk in chunks]
    return web.Response(body=b"\n\n".join([*lines, b"data: [DONE]", b""]), content_type="text/event-stream")


async def _openai_embeddings(request: web.Request) -> web.Response:
    body = await request.json()
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    vectors = [[float(len(text)), 0.5] for text in texts]
    packed = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return web.json_response({"object": "list", "model": body["model"], "data": data, "usage": usage})


def _packed(vector: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _heard_by_openai(body: Json) -> Heard:
    choice = body.get("tool_choice")
    wanted = body.get("response_format") or {}
    functions = [tool["function"] for tool in body.get("tools", [])]
    return Heard(
        text=_last_words(body["messages"]),
        tools={function["name"]: function.get("parameters", {}) for function in functions},
        has_result=body["messages"][-1]["role"] == "tool",
        must_call=choice == "required" or isinstance(choice, dict),
        tool_name=choice["function"]["name"] if isinstance(choice, dict) else None,
        schema=wanted.get("json_schema", {}).get("schema"),
        wants_json=wanted.get("type") == "json_object",
    )


def _openai_frame(body: Json) -> Json:
    kind = "chat.completion.chunk"
    return {"id": "chatcmpl-obedient", "object": kind, "created": 1_795_000_000, "model": body["model"]}


def _openai_deltas(said: Said) -> Iterator[Json]:
    yield _openai_choice({"role": "assistant", "content": ""})
    for word in said.text.split(" ") if said.text else ():
        yield _openai_choice({"content": word + " "})
    for number, call in enumerate(said.calls):
        whole = {"index": number} | _openai_call(number, call)
        arguments = whole["function"]["arguments"]
        yield _openai_choice({"tool_calls": [whole | {"function": whole["function"] | {"arguments": ""}}]})
        yield _openai_choice({"tool_calls": [{"index": number, "function": {"arguments": arguments}}]})
    yield _openai_choice({}, finish_reason="tool_calls" if said.calls else "stop")


def _openai_choice(delta: Json, finish_reason: str | None = None) -> Json:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}


def _openai_call(number: int, call: tuple[str, Json]) -> Json:
    name, arguments = call
    function = {"name": name, "arguments": orjson.dumps(arguments).decode()}
    return {"id": f"call_{number}", "type": "function", "function": function}


# Ollama's language


async def _ollama_tags(_request: web.Request) -> web.Response:
    return web.json_response({"models": [{"name": MODEL, "model": MODEL}]})


async def _ollama_details(_request: web.Request) -> web.Response:
    abilities = ["completion", "tools", "vision"]
    return web.json_response({"capabilities": abilities, "model_info": {"llama.context_length": 32_768}})


async def _ollama_chat(request: web.Request) -> web.Response:
    body = await request.json()
    said = answer_to(_heard_by_ollama(body))
    frame = {"model": body["model"], "created_at": "2026-11-21T00:00:00Z"}
    calls = [{"function": {"name": name, "arguments": arguments}} for name, arguments in said.calls]
    counts = {"done": True, "done_reason": "stop", "prompt_eval_count": 11, "eval_count": 7}
    message: Json = {"role": "assistant", "content": said.text} | ({"tool_calls": calls} if calls else {})
    if not body.get("stream", True):
        return web.json_response(frame | {"message": message} | counts)
    words = (
        [{"role": "assistant", "content": word + " "} for word in said.text.split(" ")] if said.text else []
    )
    pieces = words or [message]
    last = {"message": {"role": "assistant", "content": ""}} | counts
    lines = [*({"message": piece, "done": False} for piece in pieces), last]
    return web.Response(body=b"".join(orjson.dumps(frame | line) + b"\n" for line in lines))


async def _ollama_generation(request: web.Request) -> web.Response:
    body = await request.json()
    said = answer_to(Heard(text=body["prompt"], tools={}))
    frame = {"model": body["model"], "created_at": "2026-11-21T00:00:00Z"}
    counts = {"done": True, "done_reason": "stop", "prompt_eval_count": 11, "eval_count": 7}
    if not body.get("stream", True):
        return web.json_response(frame | {"response": said.text} | counts)
    pieces = [{"response": word + " ", "done": False} for word in said.text.split(" ")]
    lines = [*pieces, {"response": ""} | counts]
    return web.Response(body=b"".join(orjson.dumps(frame | line) + b"\n" for line in lines))


def _heard_by_ollama(body: Json) -> Heard:
    functions = [tool["function"] for tool in body.get("tools", [])]
    wanted = body.get("format")
    return Heard(
        text=_last_words(body["messages"]),
        tools={function["name"]: function.get("parameters", {}) for function in functions},
        has_result=body["messages"][-1]["role"] == "tool",
        schema=wanted if isinstance(wanted, dict) else None,
        wants_json=wanted == "json",
    )


def _last_words(messages: list[Json]) -> str:
    content = next(message["content"] for message in reversed(messages) if message["role"] == "user")
    if isinstance(content, str):
        return content
    return " ".join(part["text"] for part in content if part["type"] == "text")
