"""What was said can be read again: nothing of a conversation is lost on its way to a vendor."""

from base64 import b64decode
from typing import Any

import orjson
from hypothesis import given

from app.providers.anthropic_turns import conversation
from app.providers.base import Image, Request, Role, Thought, ToolCall, Turn
from app.providers.ollama_messages import chat_body as ollama_body
from app.providers.openai_messages import chat_body
from app.providers.tools import arguments_of, in_plain_text
from tests.providers.conversations import CONVERSATIONS

Message = dict[str, Any]


@given(CONVERSATIONS)
def test_openais_messages_hold_all_but_the_thoughts(turns: tuple[Turn, ...]):
    messages = chat_body(Request("a-model", turns))["messages"]

    assert [_from_openai(message) for message in messages] == [
        (turn.role, _without_gaps(turn), turn.tool_calls, turn.tool_call_id) for turn in in_plain_text(turns)
    ]


@given(CONVERSATIONS)
def test_ollamas_messages_hold_text_and_images_apart(turns: tuple[Turn, ...]):
    messages = ollama_body(Request("a-model", turns), "Ollama")["messages"]

    assert [_from_ollama(message) for message in messages] == [
        (turn.role, turn.all_text, turn.all_images, turn.tool_calls, turn.tool_call_id)
        for turn in _without_media_types(in_plain_text(turns))
    ]


@given(CONVERSATIONS)
def test_anthropics_messages_hold_everything(turns: tuple[Turn, ...]):
    messages = conversation(turns)

    assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2)
    assert [piece for message in messages for piece in _from_anthropic(message)] == [
        piece for turn in turns for piece in _pieces(turn)
    ]


@given(CONVERSATIONS)
def test_results_in_plain_text_lose_no_word_and_no_image(turns: tuple[Turn, ...]):
    plain = list(in_plain_text(turns))

    assert not any(turn.is_error or turn.all_images for turn in plain if turn.role is Role.TOOL)
    assert [image for turn in plain for image in turn.all_images] == [
        image for turn in turns for image in turn.all_images
    ]
    said = "".join(turn.all_text for turn in plain)
    assert all(turn.all_text in said for turn in turns)


def test_other_vendors_ids_fit_and_still_belong_together():
    call = ToolCall("functions.weather:0", "weather", "{}")
    turns = (
        Turn(Role.USER, "Hello"),
        Turn(Role.ASSISTANT, tool_calls=(call,)),
        Turn(Role.TOOL, "Rain", tool_call_id=call.id),
    )

    _, called, answered = conversation(turns)

    assert called["content"][0]["id"] == "functions_weather_0"
    assert answered["content"][0]["tool_use_id"] == "functions_weather_0"


def test_arguments_that_are_no_object_are_kept():
    assert arguments_of(ToolCall("a", "weather", "Oslo, I think")) == {"arguments": "Oslo, I think"}
    assert arguments_of(ToolCall("a", "weather", "")) == {}


def _without_gaps(turn: Turn) -> tuple[str | Image, ...]:
    """Text alone is sent as one."""
    return turn.content if turn.all_images else tuple(filter(None, [turn.all_text]))


def _from_openai(message: Message) -> tuple[object, ...]:
    content = message["content"] or ()
    parts = (content,) if isinstance(content, str) else tuple(map(_openai_part, content))
    return Role(message["role"]), parts, _openai_calls(message), message.get("tool_call_id")


def _openai_part(part: Message) -> str | Image:
    if part["type"] == "text":
        return part["text"]
    kind, _, data = part["image_url"]["url"].partition(";base64,")
    return Image(kind.removeprefix("data:"), b64decode(data))


def _openai_calls(message: Message) -> tuple[ToolCall, ...]:
    calls = message.get("tool_calls", ())
    return tuple(ToolCall(call["id"], **call["function"]) for call in calls)


def _from_ollama(message: Message) -> tuple[object, ...]:
    images = tuple(Image("", b64decode(data)) for data in message.get("images", ()))
    calls = tuple(
        ToolCall(call["id"], call["function"]["name"], orjson.dumps(call["function"]["arguments"]).decode())
        for call in message.get("tool_calls", ())
    )
    return Role(message["role"]), message["content"], images, calls, message.get("tool_call_id")


def _without_media_types(turns: Any) -> list[Turn]:
    """Ollama is not told what kind of image it is; it looks."""
    return [
        Turn(
            turn.role,
            turn.all_text,
            tuple(Image("", image.data) for image in turn.all_images),
            turn.tool_calls,
            turn.tool_call_id,
        )
        for turn in turns
    ]


def _pieces(turn: Turn) -> list[object]:
    if turn.role is Role.TOOL:
        return [(turn.tool_call_id, turn.is_error, turn.content)]
    return [*turn.thoughts, *turn.content, *turn.tool_calls]


def _from_anthropic(message: Message) -> list[object]:
    return [_anthropic_piece(block) for block in message["content"]]


def _anthropic_piece(block: Message) -> object:
    match block["type"]:
        case "text":
            return block["text"]
        case "image":
            return Image(block["source"]["media_type"], b64decode(block["source"]["data"]))
        case "thinking":
            return Thought(block["thinking"], block["signature"])
        case "redacted_thinking":
            return Thought(redacted=block["data"])
        case "tool_use":
            return ToolCall(block["id"], block["name"], orjson.dumps(block["input"]).decode())
    content = block["content"]
    parts = (content,) if isinstance(content, str) else tuple(map(_anthropic_piece, content))
    return block["tool_use_id"], block.get("is_error", False), parts
