"""The streams that pages listen to: one for each reply that grows, one for each open page."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from importlib import import_module

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.access import CurrentIdentity, Identity
from app.chats.access import CurrentChat, CurrentReplies, CurrentReply, chat_of, hub_of, message_of, stream_to
from app.chats.costs import cost_of
from app.chats.history import messages_after, page_ending_at
from app.chats.models import Chat
from app.chats.news import News, stream_of_owner
from app.chats.presenting import earlier_url, present
from app.chats.sidebar import link_to, sidebar_of
from app.chats.streaming import Position, html_of, partial
from app.core.clock import now
from app.core.database import database_of
from app.core.errors import NotFound, TooMany
from app.core.templating import render, timezone_of
from app.live.hub import Lagged
from app.live.seats import AllTaken, Seats
from app.live.sse import EventStream, event, place
from app.usage.budget_overview import warnings
from app.usage.parameters import currency_for

router = APIRouter(include_in_schema=False)


@router.get("/chats/{chat_id}/messages/{message_id}/stream")
async def stream_reply(
    request: Request,
    chat: CurrentChat,
    reply: CurrentReply,
    identity: CurrentIdentity,
    replies: CurrentReplies,
) -> EventStream:
    """The reply as it grows, for its article on the page."""

    async def finished() -> str:
        try:
            return await _finished_message(request, identity, chat.id, reply.id)
        except NotFound:
            # The conversation was deleted meanwhile: its page says so.
            return ""

    start = Position.parse(request.headers.get("last-event-id", ""))
    return stream_to(request, identity, html_of(replies.broadcasts, reply.id, start, finished))


@router.get("/chats/{chat_id}/live")
async def stream_chat_page(
    request: Request, chat: CurrentChat, identity: CurrentIdentity, after: str = "", page: str = ""
) -> EventStream:
    """What changes on the open page of a chat through other pages and devices."""
    shown = request.headers.get("last-event-id") or after
    return _page_stream(request, identity, OpenPage(request, identity, page, chat.id, shown))


@router.get("/live")
async def stream_other_page(request: Request, identity: CurrentIdentity, page: str = "") -> EventStream:
    """The same for the page of a conversation that has not begun."""
    return _page_stream(request, identity, OpenPage(request, identity, page))


def _page_stream(request: Request, identity: Identity, page: "OpenPage") -> EventStream:
    """The stream of an open page: each piece of news costs it a look at the database. Raises TooMany."""
    seats: Seats = request.app.state.seats
    try:
        return stream_to(request, identity, seats.seated(identity.user.id, page.updates()))
    except AllTaken as error:
        raise TooMany(
            "You have very many pages open at once. Close some, then reload this one.", retry_after=30
        ) from error


async def _finished_message(request: Request, identity: Identity, chat_id: str, reply_id: str) -> str:
    async with database_of(request).reading() as session:
        chat = await chat_of(session, identity.user, chat_id)
        message = await message_of(session, chat, reply_id)
        views = await present(session, chat, [message])
        cost = await cost_of(session, chat)
        currency = currency_for(request)
        low = await warnings(session, identity.user, chat.model, now(), currency)
    html = render(request, "chats/_message.html", message=views[0])
    total = render(request, "chats/_cost.html", cost=cost)
    budget = render(request, "chats/_budget.html", warnings=low)
    return "".join(
        [
            partial(f"#message-{reply_id}", "outerHTML", html),
            partial("#chat-cost", "outerHTML", total),
            partial("#budget-warning", "outerHTML", budget),
        ]
    )


@dataclass
class OpenPage:
    """One page in somebody's browser. `shown_id` is the last message on it."""

    request: Request
    identity: Identity
    page_id: str
    chat_id: str = ""
    shown_id: str = ""

    async def updates(self) -> AsyncGenerator[bytes, None]:
        """What to change on the page, as htmx partials; ids of events are ids of messages."""
        # Somebody is here, and will want to see messages in a moment.
        await asyncio.to_thread(import_module, "app.chats.rendering")
        with hub_of(self.request).subscribe(stream_of_owner(self.identity.user.id)) as subscription:
            yield place(self.shown_id or "nowhere")
            if "last-event-id" in self.request.headers:
                # The line was lost.
                yield await self._all_conversations()
            if self.chat_id and (update := await self._about(News.POSTED, self.chat_id)):
                yield update
            while True:
                try:
                    heard = await subscription.next()
                except Lagged:
                    yield await self._all_conversations()
                    if self.chat_id and (update := await self._about(News.BRANCH_CHANGED, self.chat_id)):
                        yield update
                    continue
                is_own = bool(self.page_id) and heard["page"] == self.page_id
                own_reply_id = str(heard.get("reply", "")) if is_own else ""
                update = await self._about(
                    News(heard["news"]), str(heard["chat"]), is_own=is_own, own_reply_id=own_reply_id
                )
                if update:
                    yield update

    async def _all_conversations(self) -> bytes:
        """For when nobody knows in which of them something happened."""
        async with database_of(self.request).reading() as session:
            return event(await self._whole_sidebar(session))

    async def _about(
        self, news: News, chat_id: str, *, is_own: bool = False, own_reply_id: str = ""
    ) -> bytes | None:
        async with database_of(self.request).reading() as session:
            try:
                chat = await chat_of(session, self.identity.user, chat_id)
            except NotFound:
                return event(await self._whole_sidebar(session) + self._farewell(chat_id))
            parts = [await self._sidebar_part(session, chat, news)]
            if chat.id == self.chat_id:
                parts.append(await self._thread_part(session, chat, news, is_own, own_reply_id))
        if chat.id == self.chat_id and chat.is_unread:
            await self._mark_seen(chat)
        html = "".join(parts)
        return event(html, event_id=self.shown_id) if html else None

    def _farewell(self, chat_id: str) -> str:
        """A word to who has a conversation open that was deleted elsewhere."""
        if chat_id != self.chat_id:
            return ""
        return partial("#toasts", "beforeend", render(self.request, "chats/_deleted_elsewhere.html"))

    async def _sidebar_part(self, session: AsyncSession, chat: Chat, news: News) -> str:
        if news is News.CHAT_CHANGED:
            return await self._whole_sidebar(session)
        link = await link_to(session, chat, current_id=self.chat_id)
        html = render(self.request, "chats/_chat_link.html", link=link)
        return partial(f"#chat-link-{chat.id}", "outerHTML", html)

    async def _whole_sidebar(self, session: AsyncSession) -> str:
        sidebar = await sidebar_of(
            session, self.identity.user, timezone=timezone_of(self.request), current_id=self.chat_id
        )
        return partial(
            "#sidebar-lists", "outerMorph", render(self.request, "chats/_sidebar.html", sidebar=sidebar)
        )

    async def _thread_part(
        self, session: AsyncSession, chat: Chat, news: News, is_own: bool, own_reply_id: str
    ) -> str:
        if news is News.BRANCH_CHANGED:
            self.shown_id = chat.tip_id or ""
            return "" if is_own else await self._whole_thread(session, chat)
        if news is not News.POSTED or not self.shown_id:
            return ""
        posted = await messages_after(session, chat, self.shown_id)
        if not posted:
            return ""
        self.shown_id = posted[-1].id
        # What this page has posted itself it was shown as the answer to that; what others posted meanwhile, not.
        own = {known for one in posted if one.id == own_reply_id for known in (one.id, one.parent_id)}
        views = await present(session, chat, [one for one in posted if one.id not in own])
        html = "".join(render(self.request, "chats/_message.html", message=view) for view in views)
        return partial("#thread", "beforeend", html) if html else ""

    async def _whole_thread(self, session: AsyncSession, chat: Chat) -> str:
        shown = await page_ending_at(session, chat, chat.tip_id)
        messages = await present(session, chat, shown.messages)
        html = render(
            self.request, "chats/_messages.html", messages=messages, earlier_url=earlier_url(chat, shown)
        )
        return partial("#thread", "innerHTML", html)

    async def _mark_seen(self, chat: Chat) -> None:
        async with database_of(self.request).writing() as session:
            (await session.merge(chat, load=False)).is_unread = False
