"""The list of one's conversations: newest first, grouped by day on the reader's clock, a page at a time."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.chats.models import RUNNING, Chat, Message
from app.chats.presenting import title_of
from app.chats.views import ChatGroup, ChatLink, SidebarView
from app.core.clock import now
from app.core.paging import Cursor
from app.core.templating import local_time

PAGE = 40


async def sidebar_of(
    session: AsyncSession, user: User, *, timezone: str, current_id: str = "", before: Cursor | None = None
) -> SidebarView:
    """One page of the list; `before` continues after an earlier page."""
    found = await chats_of(session, user, before, limit=PAGE + 1)
    running = await _running_among(session, [chat.id for chat in found])
    links = [_link(chat, current_id, running) for chat in found[:PAGE]]
    more = f"/sidebar?before={_cursor(found[PAGE - 1])}" if len(found) > PAGE else None
    return SidebarView(_grouped(links, timezone), more)


async def chats_of(session: AsyncSession, user: User, before: Cursor | None, *, limit: int) -> list[Chat]:
    """The person's conversations, the most recent first."""
    query = select(Chat).where(Chat.owner_id == user.id, Chat.deleted_at.is_(None))
    if before is not None:
        query = query.where(tuple_(Chat.last_activity_at, Chat.id) < (before.at, before.id))
    return list(
        await session.scalars(query.order_by(Chat.last_activity_at.desc(), Chat.id.desc()).limit(limit))
    )


async def link_to(session: AsyncSession, chat: Chat, *, current_id: str = "") -> ChatLink:
    """One line of the list."""
    return _link(chat, current_id, await _running_among(session, [chat.id]))


async def _running_among(session: AsyncSession, chat_ids: list[str]) -> set[str]:
    is_running = exists().where(Message.chat_id == Chat.id, Message.status.in_(RUNNING))
    return set(await session.scalars(select(Chat.id).where(Chat.id.in_(chat_ids), is_running)))


def _link(chat: Chat, current_id: str, running: set[str]) -> ChatLink:
    return ChatLink(
        id=chat.id,
        url=f"/chats/{chat.id}",
        title=title_of(chat),
        is_current=chat.id == current_id,
        is_running=chat.id in running,
        is_unread=chat.is_unread and chat.id != current_id,
        is_recorded=chat.recorded_from is not None,
        last_activity_at=chat.last_activity_at,
    )


def _cursor(chat: Chat) -> str:
    return Cursor(chat.last_activity_at, chat.id).text


def _grouped(links: Iterable[ChatLink], timezone: str) -> list[ChatGroup]:
    today = local_time(now(), timezone).date()
    groups: list[ChatGroup] = []
    for link in links:
        label = _label(local_time(link.last_activity_at, timezone), today)
        if not groups or groups[-1].label != label:
            groups.append(ChatGroup(label, []))
        groups[-1].links.append(link)
    return groups


def _label(moment: datetime, today: date) -> str:
    age = today - moment.date()
    if age < timedelta(days=1):
        return "Today"
    if age < timedelta(days=2):
        return "Yesterday"
    if age < timedelta(days=7):
        return "7 days"
    if age < timedelta(days=30):
        return "30 days"
    return f"{moment:%B}" if moment.year == today.year else f"{moment:%B %Y}"
