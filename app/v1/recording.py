"""Calls that become conversations: which ones do, and what is kept of them while they pass."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from app.accounts.callers import Caller
from app.chats.endings import Ending
from app.chats.models import MessageStatus
from app.chats.recorded_calls import Record
from app.chats.recording import Recorder
from app.core.clock import now
from app.gateway.calls import Call, Completion, Gateway
from app.providers.base import Role, Turn
from app.providers.passed_answers import events_in
from app.usage.models import Outcome
from app.v1.gathering import Gathering
from app.v1.surface import Answer, Asked, BadRequest

HEADER = "x-parley-store"
STATUSES = {
    Outcome.FINISHED: MessageStatus.FINISHED,
    Outcome.STOPPED: MessageStatus.STOPPED,
    Outcome.FAILED: MessageStatus.FAILED,
}


def is_wanted(headers: Mapping[str, str], caller: Caller, asked: Asked) -> bool:
    """Whether this call is to become a conversation. What the call itself says counts before what its key says.

    Raises BadRequest.
    """
    wish = headers.get(HEADER)
    if wish is None:
        return caller.stores_calls and asked.is_conversation
    if wish not in ("true", "false"):
        raise BadRequest(f"The header {HEADER} must be true or false.", HEADER)
    if wish == "true" and caller.is_service:
        raise BadRequest(
            "Calls of a service account are not stored as conversations: nobody could read them. "
            f"Leave the header {HEADER} out.",
            HEADER,
        )
    return wish == "true"


@asynccontextmanager
async def recorded(
    gateway: Gateway, recorder: Recorder, call: Call, gathering: Gathering
) -> AsyncIterator[Completion]:
    """`gateway.open(call)`, of which everything is kept when it has ended, however it ends."""
    gathering.keeps_passed = True
    began_at = now()
    completion: Completion | None = None
    try:
        async with gateway.open(call) as completion:
            yield completion
    finally:
        # No await from here on: whoever waits for the answer may be gone.
        if completion is not None:
            recorder.keep(_record(call, completion, gathering, began_at))


def _record(call: Call, completion: Completion, gathering: Gathering, began_at: datetime) -> Record:
    receipt, error = completion.receipt, completion.attempt.meter.error
    gathering.finish(receipt)
    return Record(
        user_id=call.user_id,
        api_key_id=call.api_key_id or "",
        turns=call.request.turns,
        answer=lambda: _answer(call, gathering),
        answer_size=gathering.size,
        model=completion.model,
        ending=Ending(STATUSES[receipt.outcome], receipt.error_code, str(error) if error else ""),
        began_at=began_at,
        ended_at=now(),
        first_token_ms=receipt.first_token_ms,
        settlement=completion.settlement,
    )


def _answer(call: Call, gathering: Gathering) -> Turn:
    answer = gathering.answer
    passage, passed = call.request.passage, b"".join(gathering.passed)
    if passage is not None and passed:
        read = Gathering(Answer(id=answer.id, model=answer.model, created=answer.created))
        for event in events_in(passed, passage.dialect, streaming=call.request.streaming):
            read.take(event)
        answer = read.gathered()
    return Turn(Role.ASSISTANT, answer.text, tool_calls=answer.tool_calls, thoughts=answer.thoughts)
