"""A request in Anthropic's words, read: the body of `POST /v1/messages`, and of its counting of tokens."""

from app.providers.base import JsonFormat, Request, Tool
from app.v1.anthropic.blocks import OnlyForAnthropic, text_at
from app.v1.anthropic.conversation import Conversation
from app.v1.anthropic.tools import choice_in, tool_in
from app.v1.fields import Fields
from app.v1.surface import Asked, Json

EFFORTS = ("low", "medium", "high", "xhigh", "max")
WAYS_TO_THINK = ("enabled", "adaptive", "disabled", "between_tools")
SMALLEST_BUDGET = 1_024

READ = frozenset(
    "model max_tokens messages system stream temperature top_p top_k stop_sequences tools tool_choice thinking "
    "output_config output_format".split()
)
IGNORED = frozenset(
    "metadata service_tier cache_control context_management diagnostics speed betas user_profile_id workspace_id "
    "billing_policy fallback_credit_token".split()
)
"""Says nothing about the answer: who pays at Anthropic, how fast, and what it may keep in a cache."""


def asked_in(body: Json) -> Asked:
    """What `body` asks for. Raises BadRequest, naming the parameter as Anthropic does: `messages.0.content`."""
    fields = Fields(body)
    limit = fields.count("max_tokens", least=1)
    if limit is None:
        raise fields.wrong("max_tokens", "is needed")
    return _asked(fields, limit)


def counted_in(body: Json) -> Asked:
    """What is to be counted: the same, without a limit for an answer that nobody asks for."""
    return _asked(Fields(body), None)


def _asked(fields: Fields, limit: int | None) -> Asked:
    conversation = _conversation(fields)
    tools, choice = _tools(fields, conversation), choice_in(fields)
    effort, budget = _thinking(fields)
    request = Request(
        model=fields.needed_text("model"),
        turns=tuple(conversation.turns),
        streaming=fields.flag("stream") or False,
        max_output_tokens=limit,
        temperature=fields.number("temperature", 0, 1),
        top_p=fields.number("top_p", 0, 1),
        top_k=fields.count("top_k"),
        stop=fields.texts("stop_sequences"),
        tools=tools,
        tool_use=choice.use,
        tool_name=choice.name,
        parallel_tool_calls=choice.parallel,
        reasoning_effort=effort,
        thinking_budget=budget,
        response_format=_format(fields),
    )
    unknown = (name for name in fields.values if name in fields and name not in READ | IGNORED)
    return Asked(request, beyond=(*conversation.beyond, *unknown))


def _conversation(fields: Fields) -> Conversation:
    conversation = Conversation()
    conversation.instruct(text_at(fields, "system"))
    messages = fields.children("messages")
    if not messages:
        raise fields.wrong("messages", "is needed")
    for message in messages:
        conversation.read(message)
    return conversation


def _tools(fields: Fields, conversation: Conversation) -> tuple[Tool, ...]:
    tools = []
    for offered in fields.children("tools"):
        try:
            tools.append(tool_in(offered))
        except OnlyForAnthropic as error:
            conversation.beyond.append(error.where)
    return tuple(tools)


def _thinking(fields: Fields) -> tuple[str | None, int | None]:
    """The effort and the budget of tokens, as far as the client names them."""
    output = fields.child("output_config")
    effort = output.choice("effort", EFFORTS) if output else None
    thinking = fields.child("thinking")
    if thinking is None:
        return effort, None
    match thinking.choice("type", WAYS_TO_THINK):
        case "disabled":
            return "none", None
        case "enabled":
            return effort, _budget(thinking)
        case _:
            # Not said, or as the model sees fit: so thinks each that is not told otherwise.
            return effort, None


def _budget(thinking: Fields) -> int:
    budget = thinking.count("budget_tokens", least=SMALLEST_BUDGET)
    if budget is None:
        raise thinking.wrong("budget_tokens", "is needed")
    return budget


def _format(fields: Fields) -> JsonFormat | None:
    """The schema in `output_config.format`, or where it stood at first."""
    output = fields.child("output_config")
    wanted = (output and output.child("format")) or fields.child("output_format")
    if wanted is None:
        return None
    wanted.choice("type", ("json_schema",))
    return JsonFormat(wanted.needed_child("schema").values)
