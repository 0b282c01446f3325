"""How programs ask in these stories."""

import httpx

from tests.cast import Visitor
from tests.v1.clients import Client

ECHO = "practice/echo-fast"


async def asks(
    visitor: Visitor,
    key: str,
    surface: Client,
    text: str = "How deep is the harbour?",
    *,
    model: str = ECHO,
    streaming: bool = False,
    store: str | None = None,
    **more: object,
) -> httpx.Response:
    headers = {"x-api-key": key} | ({"x-parley-store": store} if store else {})
    body = surface.asking(model, text, streaming=streaming, **more)
    return await visitor.post(surface.path, json=body, headers=headers)


Turns = list[tuple[str, object]]


async def says(visitor: Visitor, key: str, turns: Turns, **more: object) -> str:
    messages = [{"role": role, "content": content} for role, content in turns]
    body = {"model": ECHO, "messages": messages, **more}
    answer = await visitor.post("/v1/chat/completions", json=body, headers={"x-api-key": key})
    assert answer.status_code == 200, answer.text
    told: str = answer.json()["choices"][0]["message"]["content"]
    return told
