"""Several workers behind one address, as `bin/serve --workers 4` starts them; and one that is killed."""

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.core import migrations
from app.core.settings import Settings
from tests.chats.reading import events_of
from tests.chats.test_durability import STREAM, installed, messages_of
from tests.system.serving import Start, Started
from tests.waiting import until

LONG = "/long 1500 The tide comes in."

WORDS_A_SECOND = 50
"""Echo's."""

ESTABLISHED = "01"
"""As Linux writes it in /proc/net/tcp."""


@dataclass
class Listener:
    """Somebody who asked for a long answer, and what was heard of it."""

    client: httpx.AsyncClient
    chat_id: str = ""
    heard: str = ""

    async def asks(self) -> None:
        """Until the answer ends, or its worker does."""
        self.chat_id = (await self.client.post("/api/chats", json={"model": "echo/echo"})).json()["id"]
        address = f"/api/chats/{self.chat_id}/messages"
        question = {"content": LONG}
        async with self.client.stream("POST", address, json=question, headers=STREAM) as response:
            async for event in events_of(response):
                self.heard += event.json.get("text", "") if event.name == "delta" else ""

    async def reply(self) -> dict[str, str] | None:
        """The reply, once it is not written any more."""
        try:
            _, reply = await messages_of(self.client, self.chat_id)
        except httpx.TransportError:
            # The line led to the worker that was killed.
            return None
        return None if reply["status"] in ("pending", "streaming") else reply


async def test_a_killed_worker_takes_nobody_elses_answers_with_it(
    settings: Settings, start: Start, environment: dict[str, str], postgres_url: str
) -> None:
    environment["DATA_DIR"] = str(settings.data_dir)
    settings = settings.model_copy(update={"database_url": postgres_url})
    settings.__dict__.pop("resolved_database_url", None)
    migrations.upgrade(settings)
    async with installed(settings) as key:
        started = start("--workers", "4", DATABASE_URL=postgres_url)
        listeners = [Listener(client_of(started, key)) for _ in range(8)]
        listening = [asyncio.create_task(listener.asks()) for listener in listeners]
        await until(lambda: all_have_heard(listeners))
        # One worker can take all who come at the same moment.
        while len(busy_of(started)) < 2:
            listeners.append(Listener(client_of(started, key)))
            listening.append(asyncio.create_task(listeners[-1].asks()))
            await until(lambda: all_have_heard(listeners))

        killed = busy_of(started)[0]
        others = [worker for worker in started.workers if worker != killed]
        os.kill(killed, signal.SIGKILL)
        await asyncio.gather(*listening, return_exceptions=True)
        replies = [await until(listener.reply, seconds=180) for listener in listeners]
        workers = await until(lambda: four_of(started), seconds=180)

    for listener, reply in zip(listeners, replies, strict=True):
        was_killed = reply["status"] == "interrupted"
        assert was_killed or (reply["status"], reply["content"]) == ("finished", listener.heard)
        assert listener.heard.startswith(reply["content"]) or reply["content"].startswith(listener.heard)
        lost = len(listener.heard.split()) - len(reply["content"].split())
        assert lost <= WORDS_A_SECOND
    assert {reply["status"] for reply in replies} == {"finished", "interrupted"}
    assert killed not in workers
    assert set(others) < set(workers), "another one took its place"


def test_workers_that_take_long_to_load_are_waited_for(
    start: Start, tmp_path: Path, postgres_url: str
) -> None:
    # Python runs a module of this name first. A worker cannot say that it lives before its code is loaded.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, time\nif any('spawn_main' in word for word in sys.orig_argv):\n    time.sleep(12)\n"
    )
    started = start("--workers", "2", DATABASE_URL=postgres_url, PYTHONPATH=str(tmp_path))

    assert httpx.get(f"{started.url}/health", timeout=60).json()["status"] == "ok"
    assert len(started.workers) == 2


def busy_of(started: Started) -> list[int]:
    """The workers that hold a connection of somebody."""
    port = f"{httpx.URL(started.url).port:04X}"
    connections = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    open_here = {
        f"socket:[{fields[9]}]"
        for fields in connections
        if fields[1].endswith(f":{port}") and fields[3] == ESTABLISHED
    }
    return [worker for worker in started.workers if open_here & set(files_of(worker))]


def files_of(process: int) -> list[str]:
    files = []
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            files.append(str(file.readlink()))
    return files


async def four_of(started: Started) -> list[int] | None:
    workers = started.workers
    return workers if len(workers) == 4 else None


async def all_have_heard(listeners: list[Listener]) -> bool | None:
    """Whether so much of each answer was heard that some of it must have been saved."""
    return all(len(listener.heard.split()) > WORDS_A_SECOND for listener in listeners) or None


def client_of(started: Started, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=started.url, headers={"authorization": f"Bearer {key}"}, timeout=60)
