"""Tools in Anthropic's words, and whether the model may, must or must not call them."""

from dataclasses import dataclass

from app.providers.base import Tool, ToolUse
from app.v1.anthropic.blocks import OnlyForAnthropic
from app.v1.fields import Fields

CUSTOM = (None, "custom")
USES = {"auto": ToolUse.AUTO, "any": ToolUse.REQUIRED, "tool": ToolUse.REQUIRED, "none": ToolUse.NONE}


@dataclass(frozen=True)
class Choice:
    """How tools are to be used; None where the client leaves it to the vendor."""

    use: ToolUse | None = None
    name: str | None = None
    parallel: bool | None = None


def tool_in(offered: Fields) -> Tool:
    """A tool that the client runs. Raises OnlyForAnthropic for those that Anthropic defines or runs itself."""
    if offered.text("type") not in CUSTOM:
        raise OnlyForAnthropic(offered.path)
    schema = offered.needed_child("input_schema")
    return Tool(offered.needed_text("name"), offered.text("description") or "", schema.values)


def choice_in(body: Fields) -> Choice:
    chosen = body.child("tool_choice")
    if chosen is None:
        return Choice()
    kind = chosen.needed_choice("type", tuple(USES))
    one_at_a_time = chosen.flag("disable_parallel_tool_use")
    return Choice(
        USES[kind],
        chosen.needed_text("name") if kind == "tool" else None,
        None if one_at_a_time is None else not one_at_a_time,
    )
