"""How Anthropic's models are asked to think: by effort, or by a budget of tokens. Each model allows other ways."""

from app.providers.base import Request
from app.providers.reasoning import budget_for, effort_of
from app.providers.untrusted import Json, count_at, object_at, text_at

SMALLEST_BUDGET = 1_024


def is_thinking(request: Request) -> bool:
    return effort_of(request) not in {None, "none"}


def thinking(request: Request) -> Json:
    effort = effort_of(request)
    if effort is None:
        return {}
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    if _wants_a_budget(request):
        return {"thinking": {"type": "enabled", "budget_tokens": request.thinking_budget}}
    return _by_effort(effort)


def with_other_thinking(body: Json, request: Request) -> Json | None:
    """`body` with the other way to think; after both, without any where that is allowed; else None."""
    way, effort = text_at(object_at(body, "thinking"), "type"), effort_of(request)
    plain = _without_thinking(body)
    if effort is not None and way == ("enabled" if _wants_a_budget(request) else "adaptive"):
        other = _by_budget(effort, body) if way == "adaptive" else _by_effort(effort)
        if other:
            return _joined(plain, other)
    # A model that cannot think need not be told not to.
    return plain if request.is_lenient or way == "disabled" else None


def _wants_a_budget(request: Request) -> bool:
    return request.thinking_budget is not None and request.reasoning_effort is None


def _by_effort(effort: str) -> Json:
    return {
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "low" if effort == "minimal" else effort},
    }


def _by_budget(effort: str, body: Json) -> Json:
    """Nothing where there is no room: the budget counts towards `max_tokens`, and half is for the answer."""
    budget = min(budget_for(effort), (count_at(body, "max_tokens") or 0) // 2)
    return {"thinking": {"type": "enabled", "budget_tokens": budget}} if budget >= SMALLEST_BUDGET else {}


def _without_thinking(body: Json) -> Json:
    plain = {key: value for key, value in body.items() if key not in {"thinking", "output_config"}}
    return _joined(plain, {"output_config": _without_effort(object_at(body, "output_config"))})


def _without_effort(config: Json) -> Json:
    return {key: value for key, value in config.items() if key != "effort"}


def _joined(body: Json, more: Json) -> Json:
    """Both, with one `output_config`, if anything is in it."""
    config = object_at(body, "output_config") | object_at(more, "output_config")
    joined = {key: value for key, value in (body | more).items() if key != "output_config"}
    return {**joined, "output_config": config} if config else joined
