"""The conversations of a demo workspace: a question and an answer for each call that was made in one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.chats.models import Chat, Message, MessageRole, MessageStatus
from app.commands.made_up import MadeUpCall
from app.commands.made_up_team import TOPICS, Topic
from app.core.ids import new_id

MESSAGES = cast("Table", Message.__table__)
Row = dict[str, Any]


async def add_conversations(
    session: AsyncSession, calls: Iterable[MadeUpCall], groups: Mapping[str, str]
) -> int:
    """Write the conversations behind these calls; how many there are. `groups` are names by id."""
    by_chat: dict[str, list[MadeUpCall]] = {}
    for call in calls:
        by_chat.setdefault(call.origin.removeprefix("chat:"), []).append(call)
    topics = {chat_id: _topic(chat_id, groups[calls[0].group_id]) for chat_id, calls in by_chat.items()}
    chats = {
        chat_id: _chat(chat_id, answered, topics[chat_id].title) for chat_id, answered in by_chat.items()
    }
    session.add_all(chats.values())
    messages = [
        message
        for chat_id, answered in by_chat.items()
        for message in _messages(chat_id, answered, topics[chat_id])
    ]
    for message in messages:
        chats[message["chat_id"]].tip_id = message["id"]
    await session.flush()
    if messages:
        await session.execute(insert(MESSAGES), messages)
    return len(chats)


def _topic(chat_id: str, group: str) -> Topic:
    """One of those that a group talks about."""
    topics = TOPICS[group]
    return topics[sum(chat_id.encode()) % len(topics)]


def _chat(chat_id: str, answered: Sequence[MadeUpCall], title: str) -> Chat:
    return Chat(
        id=chat_id,
        owner_id=answered[0].user_id,
        title=title,
        model="echo/echo",
        created_at=answered[0].at,
        last_activity_at=answered[-1].at,
    )


def _messages(chat_id: str, answered: Sequence[MadeUpCall], topic: Topic) -> list[Row]:
    """One after another, each the parent of the next."""
    rows: list[Row] = []
    for number, call in enumerate(answered):
        question, answer = topic.turns[number % len(topic.turns)]
        for message in (_question(call, question), _reply(call, answer)):
            parent_id = rows[-1]["id"] if rows else None
            place = {"id": new_id(), "chat_id": chat_id, "parent_id": parent_id, "depth": len(rows)}
            rows.append(NOTHING | message | place)
    return rows


def _question(call: MadeUpCall, text: str) -> Row:
    return {
        "role": MessageRole.USER.value,
        "author_id": call.user_id,
        "content": text,
        "created_at": call.at,
    }


def _reply(call: MadeUpCall, text: str) -> Row:
    return {
        "role": MessageRole.ASSISTANT.value,
        "model": f"{call.connection}/{call.model}",
        "content": text,
        "status": MessageStatus(call.outcome).value,
        "input_tokens": call.input_tokens,
        "cached_tokens": call.cache_read_tokens,
        "output_tokens": call.output_tokens,
        "reasoning_tokens": call.reasoning_tokens,
        "tokens_are_estimated": call.is_estimate,
        "cost_micros": call.cost_micros,
        "created_at": call.at,
        "finished_at": call.at + timedelta(milliseconds=call.total_ms),
    }


NOTHING: Row = {
    "author_id": None,
    "model": "",
    "status": MessageStatus.FINISHED.value,
    "input_tokens": None,
    "cached_tokens": None,
    "output_tokens": None,
    "reasoning_tokens": None,
    "tokens_are_estimated": False,
    "cost_micros": None,
    "finished_at": None,
}
"""Rows that are written together have the same columns: these where a message says nothing of its own."""
