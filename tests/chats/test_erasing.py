"""What was deleted is really gone, once it is too late to undo."""

from datetime import timedelta

from sqlalchemy import func, insert, select, update

from app.chats.erasing import erase_deleted
from app.chats.models import Chat, Message
from app.core.clock import now
from app.core.database import Database
from app.core.ids import new_id
from tests.cast import Cast


async def test_a_deleted_conversation_is_erased_after_a_day(cast: Cast, database: Database) -> None:
    long, recent, kept = [await cast.alice.starts_a_chat(title) for title in ("Long", "Recent", "Kept")]
    await write_a_thread(database, long.id, length=1_200)
    for chat in (long, recent):
        await cast.alice.client.delete(f"/api/chats/{chat.id}")
    await date_back(database, long.id)

    await erase_deleted(database)

    async with database.reading() as session:
        assert set(await session.scalars(select(Chat.id))) == {recent.id, kept.id}
        assert await session.scalar(select(func.count()).select_from(Message)) == 0
    assert (await cast.alice.client.post(f"/chats/{long.id}/restoration")).status_code == 404
    assert (await cast.alice.client.post(f"/chats/{recent.id}/restoration")).status_code == 303


async def write_a_thread(database: Database, chat_id: str, *, length: int) -> None:
    ids = [new_id() for _ in range(length)]
    rows = [
        {"id": message_id, "chat_id": chat_id, "parent_id": parent_id, "depth": depth, "role": "user"}
        for depth, (message_id, parent_id) in enumerate(zip(ids, [None, *ids], strict=False))
    ]
    async with database.writing() as session:
        await session.execute(insert(Message), rows)


async def date_back(database: Database, chat_id: str) -> None:
    a_while_ago = now() - timedelta(days=1, minutes=1)
    async with database.writing() as session:
        await session.execute(update(Chat).where(Chat.id == chat_id).values(deleted_at=a_while_ago))
