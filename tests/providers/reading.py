"""What a test wants to know of an answer: its text, its thoughts, its calls, its cost, its end."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from app.providers.base import Endpoint, Request, Role, Timeouts, ToolCall, Turn
from app.providers.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageReport,
)


@dataclass
class Heard:
    text: str = ""
    reasoning: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    usage: Usage | None = None
    reason: FinishReason | None = None
    events: list[Event] = field(default_factory=list)

    def take(self, event: Event) -> None:
        self.events.append(event)
        match event:
            case TextDelta(text):
                self.text += text
            case ReasoningDelta(text):
                self.reasoning += text
            case ToolCallDelta():
                self._take_call(event)
            case UsageReport(usage):
                self.usage = usage
            case Finished(reason):
                assert self.reason is None, "an answer ends once"
                self.reason = reason

    def _take_call(self, delta: ToolCallDelta) -> None:
        if delta.index == len(self.calls):
            self.calls.append(ToolCall(delta.id or "", delta.name or "", ""))
        call = self.calls[delta.index]
        self.calls[delta.index] = ToolCall(call.id, call.name, call.arguments + delta.arguments)


async def hear(events: AsyncIterator[Event]) -> Heard:
    heard = Heard()
    async for event in events:
        heard.take(event)
    if heard.reason:
        assert isinstance(heard.events[-1], Finished)
    return heard


def question(text: str = "Say hello.", *, model: str = "a-model", **more: object) -> Request:
    turns = (Turn(Role.SYSTEM, "Be brief."), Turn(Role.USER, text))
    return Request(model=model, turns=turns, **more)


def endpoint(url: str, *, key: str | None = "sk-test-0123456789", **more: object) -> Endpoint:
    timeouts = more.pop("timeouts", Timeouts(connect=1, first_token=2, idle=1))
    return Endpoint(base_url=url, key=key, timeouts=timeouts, **more)
