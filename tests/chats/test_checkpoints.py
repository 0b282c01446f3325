"""What is saved of replies while they are written."""

import pytest
from sqlalchemy import select

from app.chats.models import Message, MessageStatus
from app.core.database import Database
from app.core.settings import Settings
from tests.cast import Cast
from tests.waiting import until


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"shutdown_grace": 0})


async def all_saved(database: Database) -> list[Message] | None:
    """The replies, once some text of each of them is stored."""
    async with database.reading() as session:
        replies = list(await session.scalars(select(Message).where(Message.role == "assistant")))
    return replies if all(reply.content for reply in replies) else None


async def starts_three_slow_answers(cast: Cast, echo: str) -> None:
    for number in range(3):
        await cast.alice.client.post("/chats", data={"body": f"/slow /long 200 {number}", "model": echo})


async def test_replies_that_are_written_at_the_same_time_are_all_saved(
    cast: Cast, echo: str, database: Database
) -> None:
    await starts_three_slow_answers(cast, echo)

    replies = await until(lambda: all_saved(database))

    assert [reply.status for reply in replies] == [MessageStatus.STREAMING] * 3


class TestOnPostgres:
    @pytest.fixture
    def settings(self, settings: Settings, postgres_with_tables: str) -> Settings:
        return Settings(
            data_dir=settings.data_dir,
            database_url=postgres_with_tables,
            shutdown_grace=0,
            log_level="ERROR",
            _env_file=None,
        )

    async def test_there_too(self, cast: Cast, echo: str, database: Database) -> None:
        await starts_three_slow_answers(cast, echo)

        replies = await until(lambda: all_saved(database))

        assert [reply.status for reply in replies] == [MessageStatus.STREAMING] * 3
