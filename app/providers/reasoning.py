"""How hard a model is to think: as an effort or as a number of tokens, whichever the vendor knows."""

from app.providers.base import Request

BUDGETS = {"low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 24_576, "max": 32_768}
"""Thinking tokens for models that want a number instead of an effort."""


def effort_of(request: Request) -> str | None:
    """The effort that was asked for, or the one that a budget of tokens amounts to: `none` to `max`."""
    if request.reasoning_effort is not None or request.thinking_budget is None:
        return request.reasoning_effort
    if request.thinking_budget == 0:
        return "none"
    # Nobody who counts tokens means the two largest efforts, which not every model knows.
    usual = ("low", "medium", "high")
    return next((effort for effort in usual if request.thinking_budget <= BUDGETS[effort]), "high")


def budget_for(effort: str) -> int:
    """Tokens for an effort; for one that has no number, those of a medium one."""
    return BUDGETS["low"] if effort == "minimal" else BUDGETS.get(effort, BUDGETS["medium"])
