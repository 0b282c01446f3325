"""Requests in Ollama's words, read: the bodies of `POST /api/chat` and `POST /api/generate`."""

from app.providers.base import EmbeddingRequest, Request, Role, Tool, Turn
from app.v1.fields import Fields
from app.v1.ollama.conversation import Conversation, images_in
from app.v1.ollama.options import effort_in, format_in, names_beyond, unknown_options, wishes_in
from app.v1.surface import Asked, Json

READ = frozenset("model stream format think options keep_alive truncate shift".split())
"""Of these `keep_alive`, `truncate` and `shift` change nothing: models are kept loaded by whoever runs them, and
nothing of a conversation is ever cut off."""
IN_CHATS = frozenset({"messages", "tools"})
IN_GENERATION = frozenset({"prompt", "system", "images", "raw"})


def chat_in(body: Json) -> Asked:
    """What is asked for in a conversation. Raises BadRequest."""
    fields = Fields(body)
    conversation = Conversation()
    for message in fields.children("messages"):
        conversation.read(message)
    if not conversation.turns:
        raise fields.wrong("messages", "is empty. Models are loaded under Administration → Models")
    tools = tuple(_tool(offered) for offered in fields.children("tools"))
    request = _request(fields, tuple(conversation.turns), tools)
    return Asked(request, beyond=names_beyond(body, READ, IN_CHATS) + unknown_options(fields))


def generation_in(body: Json) -> Asked:
    """What is asked for with one prompt. Raises BadRequest."""
    fields = Fields(body)
    prompt, images = fields.text("prompt") or "", images_in(fields)
    if not prompt and not images:
        raise fields.wrong("prompt", "is empty. Models are loaded under Administration → Models")
    system = fields.text("system")
    instructions = (Turn(Role.SYSTEM, system),) if system else ()
    request = _request(fields, (*instructions, Turn(Role.USER, prompt, images)))
    # A raw prompt brings the model's own marks along, which only Ollama itself leaves as they are.
    raw = ("raw",) if fields.flag("raw") else ()
    beyond = names_beyond(body, READ, IN_GENERATION) + raw + unknown_options(fields)
    return Asked(request, beyond=beyond, is_conversation=False)


def embedding_in(body: Json) -> EmbeddingRequest:
    """The body of `POST /api/embed`: one text, or a list of them. Raises BadRequest."""
    fields = Fields(body)
    alone = body.get("input")
    texts = (alone,) if isinstance(alone, str) else fields.texts("input")
    return EmbeddingRequest(
        fields.needed_text("model"), _needed(fields, "input", texts), dimensions_in(fields)
    )


def old_embedding_in(body: Json) -> EmbeddingRequest:
    """The body of the older `POST /api/embeddings`: one text."""
    fields = Fields(body)
    return EmbeddingRequest(fields.needed_text("model"), (fields.needed_text("prompt"),))


def dimensions_in(fields: Fields) -> int | None:
    return fields.count("dimensions", least=1)


def _request(fields: Fields, turns: tuple[Turn, ...], tools: tuple[Tool, ...] = ()) -> Request:
    streaming = fields.flag("stream")
    return Request(
        model=fields.needed_text("model"),
        turns=turns,
        streaming=streaming is not False,
        tools=tools,
        response_format=format_in(fields),
        reasoning_effort=effort_in(fields),
        **wishes_in(fields),
    )


def _tool(offered: Fields) -> Tool:
    function = offered.needed_child("function")
    parameters = function.child("parameters")
    return Tool(
        function.needed_text("name"),
        function.text("description") or "",
        parameters.values if parameters else {"type": "object", "properties": {}},
    )


def _needed(fields: Fields, name: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    if not texts or not all(texts):
        raise fields.wrong(name, "must be a text, or a list of texts, and none of them empty")
    return texts
