"""Makes views of messages: rows in, values for templates out, with one query for each kind of name."""

from collections.abc import Sequence

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.catalog.access import ModelFace, ModelNotUsable, faces_of
from app.catalog.opening import ERRORS
from app.chats.context import QuestionTooLong
from app.chats.history import Page, Variants, variants_of
from app.chats.images import CannotSee, images_of
from app.chats.models import Chat, Message, MessageImage, MessageStatus
from app.chats.views import ChatView, ErrorView, ImageView, MessageView
from app.core.templating import hue_of
from app.providers.errors import ProviderError
from app.usage.refusals import OverBudget, TooFast

TITLES = {code: error.title for code, error in ERRORS.items()} | {
    error.code: error.title for error in (ModelNotUsable, CannotSee, QuestionTooLong, OverBudget, TooFast)
}


async def present(session: AsyncSession, chat: Chat, messages: list[Message]) -> list[MessageView]:
    """Views of `messages`, in their order."""
    variants = await variants_of(session, chat, messages)
    models = {message.model for message in messages if message.is_reply}
    faces = await faces_of(session, models, chat.owner_id)
    people = await _people(session, {message.author_id for message in messages if message.author_id})
    pictures = await images_of(session, messages)
    return [
        _reply(chat, message, await _html_of(message), variants[message.id], faces[message.model])
        if message.is_reply
        else _question(
            chat,
            message,
            await _html_of(message),
            variants[message.id],
            people.get(message.author_id or ""),
            pictures.get(message.id, ()),
        )
        for message in messages
    ]


def chat_view(chat: Chat) -> ChatView:
    url = f"/chats/{chat.id}"
    return ChatView(
        id=chat.id,
        title=title_of(chat),
        model=chat.model,
        url=url,
        live_url=f"{url}/live",
        rename_url=f"{url}/title",
        delete_url=f"{url}/deletion",
        is_recorded=chat.recorded_from is not None,
    )


def title_of(chat: Chat) -> str:
    """What a conversation is called, also while it has no title."""
    return chat.title or "New conversation"


def earlier_url(chat: Chat, shown: Page) -> str | None:
    """Where the messages before `shown` are; None at the beginning."""
    return f"/chats/{chat.id}/messages?before={shown.earlier_id}" if shown.earlier_id else None


async def _people(session: AsyncSession, ids: set[str]) -> dict[str, User]:
    found = await session.scalars(select(User).where(User.id.in_(ids)))
    return {person.id: person for person in found}


async def _html_of(message: Message) -> Markup:
    # What a running reply has so far comes through its stream, from the very beginning.
    text = "" if message.is_running else message.content
    # With the first message: until then its memory is saved.
    from app.chats.rendering import render_aside

    return await render_aside(text, is_of_person=not message.is_reply)


def _question(
    chat: Chat,
    message: Message,
    html: Markup,
    variants: Variants,
    author: User | None,
    images: Sequence[MessageImage],
) -> MessageView:
    return _view(
        chat,
        message,
        html,
        variants,
        author_name=author.name if author else "Someone who left",
        initials=author.initials if author else "?",
        hue=hue_of(author.id) if author else 0,
        icon="user",
        face=None,
        images=images,
    )


def _reply(chat: Chat, message: Message, html: Markup, variants: Variants, face: ModelFace) -> MessageView:
    return _view(
        chat,
        message,
        html,
        variants,
        # What a program says to have been answered before may be anybody's.
        author_name=face.label if message.model or not message.history_digest else "An earlier answer",
        initials="",
        hue=face.hue,
        icon=face.icon,
        face=face,
    )


def _view(
    chat: Chat,
    message: Message,
    html: Markup,
    variants: Variants,
    *,
    author_name: str,
    initials: str,
    hue: int,
    icon: str,
    face: ModelFace | None,
    images: Sequence[MessageImage] = (),
) -> MessageView:
    url = f"/chats/{chat.id}/messages/{message.id}"
    before, after = variants.before(message.id), variants.after(message.id)
    is_reply, is_running = message.is_reply, message.is_running
    can_go_on = message.status in (MessageStatus.STOPPED, MessageStatus.INTERRUPTED, MessageStatus.FAILED)
    return MessageView(
        id=message.id,
        chat_id=chat.id,
        place=message.depth,
        is_reply=is_reply,
        status=message.status,
        is_running=is_running,
        is_stopped=message.status == MessageStatus.STOPPED,
        stopped_because=message.error_message if message.status == MessageStatus.STOPPED else "",
        is_interrupted=message.status == MessageStatus.INTERRUPTED,
        author_name=author_name,
        initials=initials,
        hue=hue,
        icon=icon,
        model_label=face.label if face else "",
        connection_label=face.connection_label if face else "",
        full_model=message.model,
        html=html,
        images=[
            ImageView(f"{url}/images/{image.id}", f"Image {image.position + 1} of {len(images)}")
            for image in images
        ],
        text="" if is_running else message.content,
        reasoning="" if is_running else message.reasoning,
        reasoning_seconds=_reasoning_seconds(message),
        created_at=message.created_at,
        error=_error(message),
        variant_number=variants.number_of(message.id),
        variant_count=len(variants.ids),
        previous_variant_url=f"/chats/{chat.id}/variants/{before}" if before else None,
        next_variant_url=f"/chats/{chat.id}/variants/{after}" if after else None,
        left_out=message.left_out,
        input_tokens=message.input_tokens,
        output_tokens=message.output_tokens,
        cached_tokens=message.cached_tokens,
        reasoning_tokens=message.reasoning_tokens,
        tokens_are_estimated=message.tokens_are_estimated,
        cost_micros=message.cost_micros,
        first_token_seconds=message.seconds_to_first_token,
        total_seconds=message.seconds_in_all,
        has_paused=message.paused_ms > 0,
        stream_url=f"{url}/stream",
        stop_url=f"{url}/stop",
        retry_url=f"{url}/variants" if is_reply and not is_running else None,
        continue_url=f"{url}/continuation"
        if is_reply and can_go_on and message.content and chat.tip_id == message.id
        else None,
    )


def _reasoning_seconds(message: Message) -> int | None:
    return round(message.reasoning_ms / 1000) if message.reasoning_ms is not None else None


def _error(message: Message) -> ErrorView | None:
    if message.status != MessageStatus.FAILED:
        return None
    title = TITLES.get(message.error_code, ProviderError.title)
    return ErrorView(title, message.error_message, message.error_code)
