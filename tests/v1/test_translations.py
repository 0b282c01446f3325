"""One conversation in three languages is told to every vendor in the same words, whoever asks."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from app.providers import anthropic_messages, ollama_messages, openai_messages
from app.providers.base import Request
from app.v1.anthropic.messages import Messages
from app.v1.ollama.surfaces import CHAT
from app.v1.openai.chat import ChatCompletions
from app.v1.surface import Surface

Json = dict[str, Any]

PNG = b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "weather", "description": "How it is outside", "parameters": SCHEMA}
LOOK, SAID, NEXT = "Where is this?", "Oslo, I think.", "And tomorrow?"

IN_OPENAI = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                {"type": "text", "text": LOOK},
            ],
        },
        {
            "role": "assistant",
            "content": SAID,
            "tool_calls": [
                {
                    "id": "call_0",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Oslo"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_0", "content": "Rain"},
        {"role": "user", "content": NEXT},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
    "max_completion_tokens": 100,
    "temperature": 0.5,
    "top_p": 0.9,
    "stop": ["END"],
    "stream": True,
}
IN_ANTHROPIC = {
    "model": "m",
    "system": "Be kind.",
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                {"type": "text", "text": LOOK},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": SAID},
                {"type": "tool_use", "id": "call_0", "name": "weather", "input": {"city": "Oslo"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_0", "content": "Rain"},
                {"type": "text", "text": NEXT},
            ],
        },
    ],
    "tools": [{"name": "weather", "description": "How it is outside", "input_schema": SCHEMA}],
    "max_tokens": 100,
    "temperature": 0.5,
    "top_p": 0.9,
    "stop_sequences": ["END"],
    "stream": True,
}
IN_OLLAMA = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": LOOK, "images": [PNG]},
        {
            "role": "assistant",
            "content": SAID,
            "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}],
        },
        {"role": "tool", "tool_name": "weather", "content": "Rain"},
        {"role": "user", "content": NEXT},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
    "options": {"num_predict": 100, "temperature": 0.5, "top_p": 0.9, "stop": ["END"]},
}

CLIENTS: dict[str, tuple[Surface, Json]] = {
    "openai": (ChatCompletions(), IN_OPENAI),
    "anthropic": (Messages(), IN_ANTHROPIC),
    "ollama": (CHAT, IN_OLLAMA),
}
VENDORS: dict[str, Callable[[Request], Json]] = {
    "openai": openai_messages.chat_body,
    "anthropic": lambda request: anthropic_messages.messages_body(request, "Anthropic"),
    "ollama": lambda request: ollama_messages.chat_body(request, "Ollama"),
}


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_reaches_every_vendor(client: str, vendor: str) -> None:
    surface, document = CLIENTS[client]
    asked = surface.read(document)
    its_own_surface, its_own_document = CLIENTS[vendor]

    told = VENDORS[vendor](asked.request)

    assert asked.beyond == ()
    assert told == VENDORS[vendor](its_own_surface.read(its_own_document).request)


def test_what_anthropics_clients_say_reaches_anthropic_unchanged() -> None:
    told = VENDORS["anthropic"](Messages().read(IN_ANTHROPIC).request)

    assert {name: told[name] for name in IN_ANTHROPIC} == IN_ANTHROPIC


def test_what_ollamas_clients_say_reaches_ollama_unchanged() -> None:
    told = VENDORS["ollama"](CHAT.read(IN_OLLAMA).request)

    said = [{name: message[name] for name in ("role", "content")} for message in told["messages"]]
    assert said == [
        {name: message[name] for name in ("role", "content")} for message in IN_OLLAMA["messages"]
    ]
    assert told["messages"][1]["images"] == [PNG]
    assert told["messages"][2]["tool_calls"][0]["function"]["arguments"] == {"city": "Oslo"}
    assert told["options"].items() >= IN_OLLAMA["options"].items()
    assert told["tools"] == IN_OLLAMA["tools"]
