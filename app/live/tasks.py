"""Supervised background work: every task is kept, named, logged when it fails, and ended in good order."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from app.logs import Log

log = Log("tasks")


class Tasks:
    """The tasks of one process. `stop` cuts all of them short: whoever must come to an end is waited for before."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` beside everything else; its failure is logged, never lost."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def every(self, seconds: float, name: str, work: Callable[[], Awaitable[object]]) -> asyncio.Task[Any]:
        """Run `work` again and again, `seconds` apart; a failed round is logged and the next one comes."""

        async def rounds() -> None:
            while True:
                await asyncio.sleep(seconds)
                try:
                    await work()
                except Exception as error:  # noqa: BLE001  (told, and the next round comes)
                    log.error("round_failed", task=name, raised=error)

        return self.start(name, rounds())

    async def stop(self) -> None:
        """Cancel what still runs and wait until it is gone."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_failed", task=task.get_name(), raised=error)
