"""Reads server-sent events as a browser or a script would."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.cast import Person


@dataclass(frozen=True)
class Event:
    name: str
    id: str
    data: str

    @property
    def json(self) -> Any:
        return json.loads(self.data)


@asynccontextmanager
async def browser_of(person: Person, address: str) -> AsyncIterator[httpx.AsyncClient]:
    """The person's browser, at the real server."""
    async with httpx.AsyncClient(base_url=address, cookies=person.client.cookies, timeout=60) as client:
        yield client


async def events_of(response: httpx.Response) -> AsyncIterator[Event]:
    """The events of a stream, one after another."""
    name, event_id, data = "", "", []
    async for line in response.aiter_lines():
        field, _, value = line.partition(": ")
        if line == "":
            if name or data:
                yield Event(name or "message", event_id, "\n".join(data))
            name, data = "", []
        elif field == "event":
            name = value
        elif field == "id":
            event_id = value
        elif field == "data":
            data.append(value)
