"""Waits for replies as a script would: it asks for the conversation until nothing is being written."""

import asyncio
from typing import Any

from tests.cast import Person

RUNNING = ("pending", "streaming")


async def finished_replies(person: Person, address: str) -> list[dict[str, Any]]:
    """The replies of the conversation at `/chats/…`, once none of them is being written."""
    async with asyncio.timeout(60):
        while True:
            response = await person.client.get(f"/api{address}/messages?limit=200")
            replies = [message for message in response.json()["messages"] if message["role"] == "assistant"]
            if not any(reply["status"] in RUNNING for reply in replies):
                return replies
            await asyncio.sleep(0.02)
