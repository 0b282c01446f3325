"""What is told while a reply grows: HTML for pages, text for programs.

Event ids are positions in the reply, so that a reader who lost the line goes on where it was.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from html import escape

from app.accounts.access import Identity, still_valid
from app.chats.broadcasts import Broadcasts
from app.chats.growth import Place, Step
from app.core.clock import now
from app.core.database import Database
from app.core.database_errors import FAILED
from app.live.formats import Happening
from app.live.hub import Hub, Lagged, Subscription
from app.live.sse import event
from app.live.stopping import STOPPING, Stopping
from app.logs import Log

SECONDS_BETWEEN_FRAMES = 1 / 30
SECONDS_FOR_EACH_LIVE_REPLY = 0.0006
"""Rendering one step takes a third of a millisecond; with hundreds at once each is shown less often."""
SECONDS_BETWEEN_CHECKS = 5
SECONDS_UNCHECKED = 15
"""For how long somebody who was let in may stay while the database is away and cannot say whether they still may."""
BEGINNING = Place()

log = Log("streaming")


@dataclass(frozen=True)
class Position:
    """How far a page has shown a reply: its text, and its thoughts in characters."""

    place: Place = BEGINNING
    thoughts: int = 0

    @property
    def text(self) -> str:
        return f"{self.place.closed}.{self.place.code}.{self.thoughts}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The beginning, for anything that is not a position of ours."""
        numbers = text.split(".")
        if len(numbers) != 3 or not all(number.isdecimal() and len(number) < 10 for number in numbers):
            return cls()
        closed, code, thoughts = map(int, numbers)
        return cls(Place(closed, code), thoughts)


async def html_of(
    broadcasts: Broadcasts, reply_id: str, start: Position, finished: Callable[[], Awaitable[str]]
) -> AsyncGenerator[bytes, None]:
    """The reply as htmx partials, at most thirty a second, ending with the `finished` message, unless that is gone."""
    position = start
    async with broadcasts.reading(reply_id) as live:
        while True:
            is_running = live.is_running
            step = live.html().step_from(position.place)
            version = live.rendered_version
            thoughts = live.reasoning_since(position.thoughts)
            position = Position(step.place, position.thoughts + len(thoughts))
            if partials := _partials(reply_id, step, thoughts):
                yield event(partials, event_id=position.text)
            if not is_running:
                break
            await asyncio.sleep(_pace(broadcasts))
            await live.rested()
            await live.changed(version)
    if html := await finished():
        yield event(html)


async def text_of(broadcasts: Broadcasts, reply_id: str, start: int) -> AsyncGenerator[Happening, None]:
    """The reply's text from character `start` on, as `delta` with `{"text": …}`."""
    sent = start
    async with broadcasts.reading(reply_id) as live:
        while True:
            version, is_running = live.version, live.is_running
            if text := live.content_since(sent):
                sent += len(text)
                yield Happening("delta", {"text": text}, sent)
            if not is_running:
                return
            await live.changed(version)


async def until_signed_out(database: Database, hub: Hub, stopping: Stopping, identity: Identity) -> None:
    """Returns when this person must see no more: signed out, disabled, revoked; or when the server stops.

    Raises an error of FAILED when the database is away, and what is known does not do any more.
    """
    checked_at = time.monotonic()
    with hub.subscribe(*identity.streams, STOPPING) as subscription:
        while not stopping.has_begun:
            was_called = await _is_called(subscription, _seconds_until_check(identity))
            try:
                if not await still_valid(database, identity):
                    return
                checked_at = time.monotonic()
            except FAILED as error:
                is_old = time.monotonic() - checked_at > SECONDS_UNCHECKED
                if was_called or is_old or not identity.is_valid(now()):
                    raise
                log.warning("check_delayed", kind=type(error).__name__)


async def _is_called(subscription: Subscription, seconds: float) -> bool:
    """Whether something is said about this person, or to all, within so many seconds."""
    with suppress(TimeoutError, Lagged):
        async with asyncio.timeout(seconds):
            await subscription.next()
            return True
    return False


def _seconds_until_check(identity: Identity) -> float:
    """Until the moment at which it ends, when that is near: nothing tells of it."""
    left = (identity.ends_at - now()).total_seconds() if identity.ends_at is not None else 0
    # Past that moment it was renewed, or it ends with this check.
    return min(left, SECONDS_BETWEEN_CHECKS) if left > 0 else SECONDS_BETWEEN_CHECKS


def _pace(broadcasts: Broadcasts) -> float:
    return max(SECONDS_BETWEEN_FRAMES, len(broadcasts) * SECONDS_FOR_EACH_LIVE_REPLY)


def _partials(reply_id: str, step: Step, thoughts: str) -> str:
    target = f"#message-{reply_id}"
    parts = []
    if thoughts:
        parts.append(partial(f"{target}-reasoning", "beforeend", escape(thoughts, quote=False)))
    if step.closed:
        parts.append(partial(f"{target}-closed", "beforeend", step.closed))
    if step.open is not None and (step.open or step.closed):
        parts.append(partial(f"{target}-open", "innerHTML", step.open))
    if step.more_code:
        parts.append(partial(f"{target}-open code", "beforeend", step.more_code))
    return "".join(parts)


def partial(target: str, swap: str, html: str) -> str:
    """A piece of a page and where it goes, as htmx reads it."""
    return f'<hx-partial hx-target="{target}" hx-swap="{swap}">{html}</hx-partial>'
