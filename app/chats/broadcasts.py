"""Replies that are being written, as their readers see them; the same in every process.

A reply's text only grows, so the text is its own event log: a reader keeps a position and asks for what
came after it. Nothing is queued for anybody; a slow reader simply finds more at once. In the process
that writes a reply its text is here in memory; other processes follow it over the hub and fill gaps from
the checkpoints in the database.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from app.chats.growing_text import GrowingText
from app.chats.growth import Growth
from app.chats.models import RUNNING, MessageStatus
from app.core.clock import now
from app.live.hub import Event, Hub, Lagged
from app.live.tasks import Tasks

SECONDS_TO_CLOSE_A_GAP = 0.1
REST_AFTER_RENDERING = 4
"""How many times longer than its rendering takes a reply rests: one alone must not hold up all others."""


def reply_stream(reply_id: str) -> str:
    """The hub's name for what happens to one reply."""
    return f"reply:{reply_id}"


@dataclass(frozen=True)
class Checkpoint:
    """What the database knows of a reply."""

    content: str
    reasoning: str
    status: str


ReadCheckpoint = Callable[[str], Awaitable[Checkpoint | None]]


class LiveReply:
    """One reply while it is being written."""

    def __init__(self, reply_id: str, content: str = "", reasoning: str = "") -> None:
        self.id = reply_id
        self.status: str = MessageStatus.PENDING
        self.version = 0
        """Grows with every change."""
        self.readers = 0
        self.left_out = 0
        self.first_token_at: datetime | None = None
        self.first_word_at: datetime | None = None
        self.saved_at = now()
        self._content = GrowingText(content)
        self._reasoning = GrowingText(reasoning)
        self.rendered_version = -1
        """The version that `html` shows."""
        self._growth = Growth()
        self._rest_until = 0.0
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def content(self) -> str:
        return self._content.whole

    @property
    def reasoning(self) -> str:
        return self._reasoning.whole

    @property
    def length(self) -> int:
        return self._content.length

    @property
    def reasoning_length(self) -> int:
        return self._reasoning.length

    def content_since(self, position: int) -> str:
        """The text after its first `position` characters."""
        return self._content.since(position)

    def reasoning_since(self, position: int) -> str:
        """The thoughts after their first `position` characters."""
        return self._reasoning.since(position)

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING

    def add(self, text: str) -> None:
        self._content.add(text)
        if self.first_word_at is None:
            self.first_word_at = now()
        self._streams()

    def add_reasoning(self, text: str) -> None:
        self._reasoning.add(text)
        self._streams()

    def replace(self, checkpoint: Checkpoint) -> None:
        """Take over what the database knows, when that is more."""
        if len(checkpoint.content) > self.length:
            self._content = GrowingText(checkpoint.content)
        if len(checkpoint.reasoning) > self.reasoning_length:
            self._reasoning = GrowingText(checkpoint.reasoning)
        self.status = checkpoint.status
        self._changed()

    def end(self, status: str) -> None:
        """Called when the database has the whole reply."""
        self.status = status
        self._changed()

    def html(self) -> Growth:
        """The text so far as HTML, rendered once for all readers; while that is slow work, a little behind."""
        began = time.monotonic()
        if began >= self._rest_until or not self.is_running:
            self.rendered_version = self.version
            self._growth.grow(self.content)
            ended = time.monotonic()
            self._rest_until = ended + (ended - began) * REST_AFTER_RENDERING
        return self._growth

    async def changed(self, since: int) -> None:
        """Wait until there is more than at version `since`."""
        if self.version != since or not self.is_running:
            return
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)

    async def ended(self) -> None:
        """Wait until the reply is whole, stopped or failed."""
        while self.is_running:
            await self.changed(self.version)

    async def rested(self) -> None:
        """Wait until it may be rendered again, or has ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0, self._rest_until - time.monotonic())):
                await self.ended()

    def _streams(self) -> None:
        self.status = MessageStatus.STREAMING
        if self.first_token_at is None:
            self.first_token_at = now()
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)


class Broadcasts:
    """The live replies of this process: those it writes, and those of others that somebody here reads."""

    def __init__(self, hub: Hub, tasks: Tasks, read_checkpoint: ReadCheckpoint) -> None:
        self._hub = hub
        self._tasks = tasks
        self._read_checkpoint = read_checkpoint
        self._own: dict[str, LiveReply] = {}
        self._followed: dict[str, LiveReply] = {}

    def __len__(self) -> int:
        return len(self._own) + len(self._followed)

    def own(self) -> list[LiveReply]:
        """The replies that this process writes."""
        return list(self._own.values())

    def begin(self, reply_id: str, content: str = "", reasoning: str = "") -> LiveReply:
        """A reply starts here; `content` is what it had before, when it is continued."""
        live = self._own[reply_id] = LiveReply(reply_id, content, reasoning)
        return live

    def add(self, live: LiveReply, text: str) -> None:
        if self._hub.is_shared:
            self._hub.publish(reply_stream(live.id), {"at": live.length, "text": text})
        live.add(text)

    def add_reasoning(self, live: LiveReply, text: str) -> None:
        if self._hub.is_shared:
            self._hub.publish(reply_stream(live.id), {"at": live.reasoning_length, "thought": text})
        live.add_reasoning(text)

    def end(self, live: LiveReply, status: str) -> None:
        """The reply is whole, and committed. Readers learn it; what comes later reads the database."""
        # It may have been continued since it was committed: that is another one.
        if self._own.get(live.id) is live:
            del self._own[live.id]
        live.end(status)
        self._hub.publish(reply_stream(live.id), {"ended": status})

    @asynccontextmanager
    async def reading(self, reply_id: str) -> AsyncIterator[LiveReply]:
        """The reply for one reader, wherever it is written. A reply that has ended is there, whole."""
        live = self._own.get(reply_id) or self._followed.get(reply_id) or self._follow(reply_id)
        live.readers += 1
        try:
            yield live
        finally:
            live.readers -= 1

    def _follow(self, reply_id: str) -> LiveReply:
        live = self._followed[reply_id] = LiveReply(reply_id)
        self._tasks.start(f"follow {reply_id}", self._follow_until_ended(live))
        return live

    async def _follow_until_ended(self, live: LiveReply) -> None:
        try:
            with self._hub.subscribe(reply_stream(live.id)) as subscription:
                await self._catch_up(live)
                while live.is_running and live.readers:
                    try:
                        async with asyncio.timeout(1):
                            event = await subscription.next()
                    except (TimeoutError, Lagged):
                        # The writer may have died without a word: the database tells.
                        await self._catch_up(live)
                        continue
                    await self._apply(live, event)
        finally:
            self._followed.pop(live.id, None)

    async def _apply(self, live: LiveReply, event: Event) -> None:
        if "ended" in event:
            await self._catch_up(live)
        elif "text" in event:
            await self._apply_text(live, int(event["at"]), str(event["text"]))
        elif "thought" in event and event["at"] == live.reasoning_length:
            # A thought that was missed waits for the end: nobody reads thoughts letter by letter.
            live.add_reasoning(str(event["thought"]))

    async def _apply_text(self, live: LiveReply, at: int, text: str) -> None:
        while at > live.length and live.is_running:
            # Something before it was missed; the writer's next checkpoint has it.
            await asyncio.sleep(SECONDS_TO_CLOSE_A_GAP)
            await self._catch_up(live)
        if at <= live.length < at + len(text) and live.is_running:
            live.add(text[live.length - at :])

    async def _catch_up(self, live: LiveReply) -> None:
        try:
            checkpoint = await self._read_checkpoint(live.id)
        except SQLAlchemyError:
            # Asked again in a second. Who reads waits meanwhile: giving up would leave them waiting for ever.
            return
        live.replace(checkpoint or Checkpoint("", "", MessageStatus.FAILED))
