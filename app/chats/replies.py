"""Writes replies: supervised tasks that belong to the server, not to the request that asked.

Nobody needs to watch for a reply to be written. Stop is a row, so that it works from any tab, device or
process; the text is saved twice a second, never per token.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from app.chats import checkpoints, jobs
from app.chats.broadcasts import Broadcasts, Checkpoint, LiveReply, reply_stream
from app.chats.endings import Ended, Ending, Endings
from app.chats.jobs import Job
from app.chats.models import Message, MessageStatus
from app.chats.news import News, tell
from app.chats.storable import storable
from app.core.clock import now
from app.core.database import Database
from app.core.errors import ParleyError
from app.gateway.calls import Completion, Gateway
from app.gateway.metering import CUT_OFF
from app.live.hub import Hub, Lagged
from app.live.tasks import Tasks
from app.providers.errors import ProviderError
from app.providers.events import Event, ReasoningDelta, TextDelta

SECONDS_BETWEEN_SEARCHES = 5


@dataclass
class Work:
    """One reply on its way."""

    live: LiveReply
    completion: Completion | None = None


class Replies:
    """The replies that this process writes."""

    def __init__(self, database: Database, hub: Hub, tasks: Tasks, gateway: Gateway) -> None:
        self._database = database
        self._hub = hub
        self._tasks = tasks
        self._gateway = gateway
        self._writing: dict[str, asyncio.Task[None]] = {}
        self._saving: set[asyncio.Task[None]] = set()
        self._stopped: set[str] = set()
        self._ends: dict[str, asyncio.TimerHandle] = {}
        self._saved_versions: dict[str, int] = {}
        self._endings = Endings(database, tasks)
        self.broadcasts = Broadcasts(hub, tasks, self._read_checkpoint)

    async def begin(self) -> None:
        """Find what an earlier run left unfinished, and start to save what this one writes."""
        if not self._hub.is_shared:
            async with self._database.writing() as session:
                await checkpoints.mark_interrupted(session)
        self._tasks.every(checkpoints.SECONDS_BETWEEN, "checkpoints", self._save_all)
        self._tasks.every(SECONDS_BETWEEN_SEARCHES, "search for dead replies", self._mark_interrupted)

    def start(self, reply: Message) -> None:
        """Write the reply in the background. Call it after the commit that created it."""
        # It may be continued the moment it was stored, while its first writing still ends: what is kept of that one goes.
        self._forget(reply.id)
        live = self.broadcasts.begin(reply.id, reply.content, reply.reasoning)
        task = self._tasks.start(f"reply {reply.id}", self._write(Work(live), reply))
        self._writing[reply.id] = task
        task.add_done_callback(partial(self._written, reply.id))
        if self._hub.is_shared:
            listener = self._tasks.start(f"stop of {reply.id}", self._listen_for_stop(reply.id))
            task.add_done_callback(lambda _: listener.cancel())

    def stop(self, reply_id: str) -> None:
        """Stop the reply wherever it is written. Call it after the commit of the wish to stop."""
        if not self._stop_here(reply_id):
            self._hub.publish(reply_stream(reply_id), {"stop": True})

    async def drain(self, grace: float) -> None:
        """Let running replies finish for `grace` seconds; the rest is saved and marked interrupted."""
        for patience in (grace, 5.0):
            # To cancel a reply that is being saved ends only its wait: the saving goes on, and is waited for here.
            at_work = {*self._writing.values(), *self._saving}
            if not at_work:
                return
            await asyncio.wait(at_work, timeout=patience)
            for task in self._writing.values():
                task.cancel()

    def _stop_here(self, reply_id: str) -> bool:
        task = self._writing.get(reply_id)
        if task is None:
            return False
        if reply_id not in self._stopped:
            self._stopped.add(reply_id)
            task.cancel()
        return True

    def _stop_at(self, reply_id: str, moment: datetime | None) -> None:
        if moment is not None and reply_id not in self._ends:
            seconds = (moment - now()).total_seconds()
            loop = asyncio.get_running_loop()
            self._ends[reply_id] = loop.call_later(seconds, self._stop_here, reply_id)

    async def _listen_for_stop(self, reply_id: str) -> None:
        """Hear at once what the next checkpoint would find in the row."""
        with self._hub.subscribe(reply_stream(reply_id)) as subscription:
            while True:
                with suppress(Lagged):
                    if "stop" in await subscription.next():
                        self._stop_here(reply_id)

    def _written(self, reply_id: str, task: asyncio.Task[None]) -> None:
        if self._writing.get(reply_id) is task:
            self._forget(reply_id)

    def _forget(self, reply_id: str) -> None:
        self._writing.pop(reply_id, None)
        self._stopped.discard(reply_id)
        if (end := self._ends.pop(reply_id, None)) is not None:
            end.cancel()
        self._saved_versions.pop(reply_id, None)

    async def _write(self, work: Work, reply: Message) -> None:
        # Also when something fails that nobody foresaw: no reply goes on for ever.
        ending = Ending(MessageStatus.INTERRUPTED)
        try:
            ending = await self._end_of(work, reply)
        except asyncio.CancelledError:
            if reply.id in self._stopped:
                ending = Ending(MessageStatus.STOPPED)
        finally:
            # What was written is saved even when the server stops right now.
            saving = self._tasks.start(f"save {reply.id}", self._save(work, reply, ending))
            self._saving.add(saving)
            saving.add_done_callback(self._saving.discard)
            await asyncio.shield(saving)

    async def _end_of(self, work: Work, reply: Message) -> Ending:
        try:
            await self._generate(work, await self._job_for(reply))
        except ProviderError as error:
            return Ending(MessageStatus.FAILED, error.code, str(error))
        except ParleyError as error:
            return Ending(MessageStatus.FAILED, error.code, error.message)
        if work.completion is not None and work.completion.cut_off:
            return Ending(MessageStatus.STOPPED, CUT_OFF, work.completion.cut_off)
        return Ending(MessageStatus.FINISHED)

    async def _job_for(self, reply: Message) -> Job:
        """Waits for its turn: what is asked while another answer is written is answered after it."""
        while True:
            async with self._database.reading() as session:
                place = await jobs.place_of(session, reply)
                self._stop_at(reply.id, place.ends_at)
                if place.waits_for is None:
                    window = await self._gateway.window(place.owner_id, reply.model)
                    return await jobs.prepare(session, reply, place, window)
            async with self.broadcasts.reading(place.waits_for) as live:
                await live.ended()

    async def _generate(self, work: Work, job: Job) -> None:
        work.live.left_out = job.left_out
        async with self._gateway.open(job.call) as work.completion:
            async for event in work.completion:
                self._take_in(work.live, event)

    def _take_in(self, live: LiveReply, event: Event) -> None:
        match event:
            case TextDelta(text):
                self.broadcasts.add(live, storable(text))
            case ReasoningDelta(text):
                self.broadcasts.add_reasoning(live, storable(text))

    async def _save(self, work: Work, reply: Message, ending: Ending) -> None:
        try:
            owner_id = await self._endings.store(Ended(work.live, reply.chat_id, ending, work.completion))
        finally:
            # One that cannot be stored gets no more heartbeats, and is found like those of a killed process.
            self.broadcasts.end(work.live, ending.status)
        if owner_id is not None:
            tell(self._hub, owner_id, reply.chat_id, News.REPLY_ENDED)

    async def _save_all(self) -> None:
        due = [live for live in self.broadcasts.own() if self._is_due(live)]
        if not due:
            return
        versions = {live.id: live.version for live in due}
        async with self._database.writing(brief=True) as session:
            stopped = await checkpoints.save(session, due)
            await self._gateway.running.note(session)
        self._saved_versions |= versions
        for live in due:
            live.saved_at = now()
        for reply_id in stopped:
            self._stop_here(reply_id)

    def _is_due(self, live: LiveReply) -> bool:
        is_changed = self._saved_versions.get(live.id) != live.version
        return is_changed or now() - live.saved_at > checkpoints.HEARTBEAT_EVERY

    async def _mark_interrupted(self) -> None:
        async with self._database.writing() as session:
            owners = await checkpoints.mark_interrupted(session, older_than=now() - checkpoints.DEAD_AFTER)
        for chat_id, owner_id in owners.items():
            tell(self._hub, owner_id, chat_id, News.REPLY_ENDED)

    async def _read_checkpoint(self, reply_id: str) -> Checkpoint | None:
        async with self._database.reading(brief=True) as session:
            return await checkpoints.read(session, reply_id)
