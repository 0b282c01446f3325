"""What people do in a conversation. Every verb changes rows and flushes; the door commits.

A question is stored before anything else happens, together with an empty reply that says who will answer.
"""

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.chats import crowding, images
from app.chats.models import RUNNING, Chat, Message, MessageRole, MessageStatus
from app.core.clock import now
from app.core.errors import Conflict, Invalid
from app.core.ids import new_id
from app.core.settings import Settings
from app.providers.base import Image

MARKDOWN_SIGNS = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[[ xX]\]\s|\*\*|__|`+|~~|^\s*\*\s")
LONGEST_TITLE = 120
TITLE_FROM_QUESTION = 60
LONGEST_KEY = 100
LONGEST_PROMPT = 50_000


class KeyTaken(Conflict):
    code = "key_taken"
    title = "This key names another message"


@dataclass(frozen=True)
class Draft:
    """What a person is about to say. `key` names it, so that a second try does not say it twice."""

    body: str
    model: str = ""
    key: str | None = None
    api_key_id: str | None = None
    """The personal key that was used to say it, if one was; the same below."""
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class Bounds:
    """How much one person may say here."""

    longest: int
    """Characters of a message."""
    most_running: int
    """Replies that may be written at once; 0 is any number."""

    @classmethod
    def of(cls, settings: Settings) -> "Bounds":
        return cls(settings.max_message_chars, settings.max_running_replies)


@dataclass(frozen=True)
class Posted:
    question: Message
    reply: Message
    is_new: bool = True


async def start_chat(session: AsyncSession, owner: User, draft: Draft, bounds: Bounds) -> Posted:
    """A new conversation with its first question. Raises what `post` raises; nothing is changed then."""
    body = _checked(draft.body, bounds.longest)
    # No conversation is there yet whose lock would let a second try find what the first one stored.
    await session.execute(select(User.id).where(User.id == owner.id).with_for_update(key_share=True))
    if posted := await _already_posted(session, owner, draft, body):
        return posted
    await _refuse_unanswerable(session, owner, draft, draft.model, bounds)
    chat = await create_chat(session, owner, title=title_from(body), model=draft.model)
    return await _ask(session, chat, owner, draft, body)


async def create_chat(
    session: AsyncSession, owner: User, *, title: str = "", model: str = "", system_prompt: str | None = None
) -> Chat:
    """A conversation without messages. Raises Invalid."""
    prompt = None if system_prompt is None else checked_prompt(system_prompt)
    chat = Chat(owner_id=owner.id, title=checked_title(title), model=model, system_prompt=prompt)
    session.add(chat)
    await session.flush()
    return chat


async def post(session: AsyncSession, chat: Chat, author: User, draft: Draft, bounds: Bounds) -> Posted:
    """A question at the end of the branch being read. Raises Invalid, KeyTaken, crowding.TooManyReplies,
    images.CannotSee; nothing is changed then.

    A reply that is still being written is no obstacle: the new one waits for it.
    """
    body = _checked(draft.body, bounds.longest)
    if posted := await _already_posted(session, author, draft, body):
        if posted.question.chat_id != chat.id:
            raise KeyTaken("This key names a message of another conversation already. Choose another key.")
        return posted
    await _refuse_unanswerable(session, author, draft, draft.model or chat.model, bounds)
    if chat.tip_id is None and not chat.title:
        chat.title = title_from(body)
    return await _ask(session, chat, author, draft, body)


async def regenerate(
    session: AsyncSession, chat: Chat, reply: Message, model: str = "", *, api_key_id: str | None = None
) -> Message:
    """Another answer to the same question, beside the earlier one. Raises Conflict."""
    if reply.is_running:
        raise Conflict("This answer is still being written. Stop it first, then ask for another one.")
    if model:
        chat.model = model
    model = model or chat.model or reply.model
    return await _answer(session, chat, reply.parent_id, reply.depth, model, api_key_id)


async def continue_reply(
    session: AsyncSession, chat: Chat, reply: Message, *, api_key_id: str | None = None
) -> None:
    """Let a stopped or interrupted answer grow on from where it is. Raises Conflict."""
    if reply.is_running:
        raise Conflict("This answer is still being written.")
    if chat.tip_id != reply.id:
        raise Conflict("The conversation went on after this answer. Ask for another answer instead.")
    if reply.finished_at is not None:
        reply.paused_ms += round((now() - reply.finished_at).total_seconds() * 1000)
    reply.status = MessageStatus.PENDING
    reply.api_key_id = api_key_id
    reply.error_code = reply.error_message = ""
    reply.finished_at = reply.stop_requested_at = None
    reply.heartbeat_at = chat.last_activity_at = now()
    await session.flush()


async def request_stop(session: AsyncSession, reply: Message) -> bool:
    """Ask for a reply to stop; whoever writes it sees the row. False when it had ended already."""
    if not reply.is_running:
        return False
    reply.stop_requested_at = reply.stop_requested_at or now()
    await session.flush()
    return True


async def delete_chat(session: AsyncSession, chat: Chat) -> list[str]:
    """Hide the chat; it is erased a day later. Returns the replies that were being written: stop them."""
    chat.deleted_at = now()
    running = await session.scalars(
        select(Message).where(Message.chat_id == chat.id, Message.status.in_(RUNNING))
    )
    stopped = [reply.id for reply in running if await request_stop(session, reply)]
    await session.flush()
    return stopped


async def restore_chat(session: AsyncSession, chat: Chat) -> None:
    chat.deleted_at = None
    await session.flush()


def rename_chat(chat: Chat, title: str) -> None:
    """Another title; an empty one changes nothing. Raises Invalid."""
    chat.title = checked_title(title) or chat.title


def title_from(body: str) -> str:
    """A title made of a question: its first line without Markdown's signs, cut between words."""
    lines = (MARKDOWN_SIGNS.sub("", line).strip(" #>-\t") for line in body.splitlines())
    line = next(filter(None, lines), "Conversation")
    if len(line) <= TITLE_FROM_QUESTION:
        return line
    return line[:TITLE_FROM_QUESTION].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"


def checked_title(title: str) -> str:
    """A title fit to be stored. Raises Invalid."""
    title = " ".join(title.split())
    if len(title) > LONGEST_TITLE:
        raise Invalid(f"A title may have at most {LONGEST_TITLE} characters.", field="title")
    _refuse_nul(title, "title")
    return title


def checked_prompt(prompt: str) -> str:
    """A system prompt fit to be stored. Raises Invalid."""
    if len(prompt) > LONGEST_PROMPT:
        raise Invalid(f"Instructions may have at most {LONGEST_PROMPT:,} characters.", field="system_prompt")
    _refuse_nul(prompt, "system_prompt")
    return prompt.replace("\r\n", "\n").strip()


def _checked(body: str, longest: int) -> str:
    body = body.replace("\r\n", "\n").strip("\n")
    if not body.strip():
        raise Invalid("Write a message first.", field="body")
    _refuse_nul(body, "body")
    if len(body) > longest:
        raise Invalid(
            f"The message has {len(body):,} characters; at most {longest:,} are accepted. Shorten it.",
            field="body",
        )
    return body


def _refuse_nul(text: str, field: str) -> None:
    if "\x00" in text:
        raise Invalid(
            "There is a NUL character in it, which no text has. Remove it and send again.", field=field
        )


async def _already_posted(session: AsyncSession, author: User, draft: Draft, body: str) -> Posted | None:
    if not draft.key:
        return None
    question = await session.scalar(
        select(Message).where(Message.author_id == author.id, Message.request_key == draft.key[:LONGEST_KEY])
    )
    if question is None:
        return None
    # Who is asked is no part of a question: an empty name means somebody else once the conversation went on.
    if question.content != body or not await images.are_of(session, question, draft.images):
        # As stored they would be lost: whoever sends lets go of what was stored.
        raise KeyTaken(
            "This key names a message with other words or images already. Choose another key, and both are kept."
        )
    reply = await session.scalar(
        select(Message).where(Message.parent_id == question.id).order_by(Message.id).limit(1)
    )
    return Posted(question, reply, is_new=False) if reply else None


async def _refuse_unanswerable(
    session: AsyncSession, author: User, draft: Draft, model: str, bounds: Bounds
) -> None:
    # Only now: what is stored already needs no room, and its own reply may be the one that takes it.
    await crowding.refuse_another(session, author, bounds.most_running)
    if draft.images:
        await images.refuse_blind(session, model)


async def _ask(session: AsyncSession, chat: Chat, author: User, draft: Draft, body: str) -> Posted:
    if draft.model:
        chat.model = draft.model
    parent = await session.get(Message, chat.tip_id) if chat.tip_id else None
    question = Message(
        id=new_id(),
        chat_id=chat.id,
        parent_id=parent.id if parent else None,
        depth=parent.depth + 1 if parent else 0,
        role=MessageRole.USER,
        author_id=author.id,
        content=body,
        request_key=draft.key[:LONGEST_KEY] if draft.key else None,
    )
    session.add(question)
    if draft.images:
        await session.flush()
        await images.store(session, question, draft.images)
    reply = await _answer(session, chat, question.id, question.depth + 1, chat.model, draft.api_key_id)
    return Posted(question, reply)


async def _answer(
    session: AsyncSession, chat: Chat, parent_id: str | None, depth: int, model: str, api_key_id: str | None
) -> Message:
    reply = Message(
        id=new_id(),
        chat_id=chat.id,
        parent_id=parent_id,
        depth=depth,
        role=MessageRole.ASSISTANT,
        model=model,
        api_key_id=api_key_id,
        status=MessageStatus.PENDING,
        heartbeat_at=now(),
    )
    session.add(reply)
    chat.tip_id = reply.id
    chat.last_activity_at = now()
    await session.flush()
    return reply
