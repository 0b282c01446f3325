"""Whoever is shown out takes what is being written for them along: the replies of revoked keys and disabled people."""

import asyncio
from contextlib import suppress

from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.doorkeeper import SHOWN_OUT
from app.accounts.models import ApiKey, User
from app.chats.models import RUNNING, Chat, Message
from app.chats.posting import request_stop
from app.chats.replies import Replies
from app.core.database import Database
from app.core.errors import Unavailable
from app.live.hub import Hub, Lagged
from app.logs import Log

SECONDS_BETWEEN_TRIES = 1.0

log = Log("leaving")


async def follow(database: Database, hub: Hub, replies: Replies) -> None:
    """Stop those replies each time somebody was shown out; runs until cancelled."""
    with hub.subscribe(SHOWN_OUT) as news:
        while True:
            with suppress(Lagged):
                await news.next()
            await _stop_them_at_last(database, replies)


async def stop_orphans(database: Database, replies: Replies) -> None:
    """Stop what is being written for keys that are revoked and people who are disabled."""
    async with database.reading() as session:
        if not await _orphans(session):
            return
    async with database.writing() as session:
        stopped = [reply.id for reply in await _orphans(session) if await request_stop(session, reply)]
    for reply_id in stopped:
        replies.stop(reply_id)


async def _stop_them_at_last(database: Database, replies: Replies) -> None:
    while True:
        try:
            return await stop_orphans(database, replies)
        except (SQLAlchemyError, Unavailable) as error:
            log.warning("stopping_failed", kind=type(error).__name__)
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)


async def _orphans(session: AsyncSession) -> list[Message]:
    found = await session.scalars(
        select(Message)
        .join(Chat, Chat.id == Message.chat_id)
        .join(User, User.id == Chat.owner_id)
        .outerjoin(ApiKey, ApiKey.id == Message.api_key_id)
        .where(
            Message.status.in_(RUNNING), or_(ApiKey.revoked_at.is_not(None), User.disabled_at.is_not(None))
        )
    )
    return list(found)
