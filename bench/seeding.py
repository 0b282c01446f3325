"""Long conversations, written into the database of an installation that is not running."""

import asyncio
from datetime import timedelta

from sqlalchemy import insert, select

from app import schema
from app.core.clock import now
from app.core.database import Database
from app.core.ids import new_id
from app.core.settings import Settings
from bench.installation import MODEL, Installation

QUESTION = "What do you make of point {number}? The numbers of last week look **odd** to me."
ANSWER = """They do. Three things stand out:

1. The total in row {number} counts returns twice.
2. `net` is computed before the discount, so it is too large.
3. Monday is missing.

```python
def net(total: float, discount: float) -> float:
    return total * (1 - discount)
```

With that mended, the week ends at about {number}."""


def seed_chat(installation: Installation, messages: int) -> str:
    """A chat of Alice's with so many messages; its id."""
    return asyncio.run(_seed(installation, messages))


async def _seed(installation: Installation, messages: int) -> str:
    database = Database(Settings(_env_file=None, data_dir=installation.data_dir).resolved_database_url)
    async with database.writing() as session:
        owner = await session.scalar(select(schema.accounts.User.id))
        rows = _rows(messages, str(owner))
        chat = schema.chats.Chat(
            id=rows[0]["chat_id"],
            owner_id=owner,
            title=f"{messages} messages",
            model=MODEL,
            tip_id=rows[-1]["id"],
        )
        session.add(chat)
        await session.flush()
        await session.execute(insert(schema.chats.Message), rows)
    await database.close()
    return chat.id


def _rows(messages: int, owner: str) -> list[dict[str, object]]:
    chat_id, parent, begun = new_id(), None, now() - timedelta(days=30)
    rows: list[dict[str, object]] = []
    for number in range(messages):
        is_answer = number % 2 == 1
        rows.append(
            {
                "id": (message_id := new_id()),
                "chat_id": chat_id,
                "parent_id": parent,
                "depth": number,
                "role": "assistant" if is_answer else "user",
                "author_id": None if is_answer else owner,
                "model": MODEL if is_answer else "",
                "content": (ANSWER if is_answer else QUESTION).format(number=number),
                "created_at": begun + timedelta(seconds=number),
            }
        )
        parent = message_id
    return rows
