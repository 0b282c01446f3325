"""Work that is done for somebody, and is cut off when they leave or must go."""

import asyncio
from types import TracebackType

from starlette.types import Receive

SECONDS_UNWATCHED = 0.05
"""Most calls are answered sooner: about those it is never asked whether the client is still there."""


class Attending:
    """`async with Attending(receive): …`. The block is left without an exception when it is cut off."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        self._is_cut_off = False

    def cut_off(self) -> None:
        """End the block. To ask for it again does nothing: what is being tidied up is not cut off as well."""
        if self._task is not None and not self._is_cut_off:
            self._is_cut_off = True
            self._task.cancel()

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(SECONDS_UNWATCHED, self._begin_to_watch)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        task, self._task = self._task, None
        for ending in (self._timer, self._watching):
            if ending is not None:
                ending.cancel()
        # Cancelled, the task keeps its exception, and with it this object, which would be left to the garbage collector.
        self._watching = None
        if task is None or not self._is_cut_off:
            return False
        # Somebody else may want it to end, too: the server, when it stops.
        is_wanted_by_others = task.uncancel() > 0
        return isinstance(error, asyncio.CancelledError) and not is_wanted_by_others

    def _begin_to_watch(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.cut_off()
