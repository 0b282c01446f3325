"""What is needed to write one reply, read in one short session: whose it is, which model, what it is told."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.accounts.api_keys import models_of
from app.accounts.models import ApiKey, Workspace
from app.catalog.abilities import is_blind
from app.chats import context, history, images
from app.chats.models import RUNNING, Chat, Message
from app.gateway.calls import Call
from app.providers.base import Request, Role, Turn

GO_ON = "Continue your last message exactly where it ends. Repeat nothing and add no introduction."
MOST_MESSAGES = 4_000
"""How far back a conversation is looked at; no window holds more."""

QUESTION, EARLIER = aliased(Message), aliased(Message)
# Every reply begins with it: the statement is built once.
PLACE = (
    select(Chat.id, Chat.owner_id, Chat.system_prompt, Workspace.system_prompt, EARLIER.id, ApiKey.expires_at)
    .select_from(Chat)
    .outerjoin(Workspace, true())
    .outerjoin(QUESTION, QUESTION.id == bindparam("question"))
    .outerjoin(EARLIER, (EARLIER.id == QUESTION.parent_id) & EARLIER.status.in_(RUNNING))
    .outerjoin(ApiKey, ApiKey.id == bindparam("key"))
    .where(Chat.id == bindparam("chat"))
)


@dataclass(frozen=True)
class Place:
    """Where a reply is to be written. `waits_for` is the reply before its question, while that is being written.

    `ends_at` is when the key expires for which it is written.
    """

    chat_id: str
    owner_id: str
    system_prompt: str
    waits_for: str | None
    ends_at: datetime | None


@dataclass(frozen=True)
class Job:
    """One reply to be written. `left_out` is how many earlier messages did not fit."""

    call: Call
    left_out: int


async def place_of(session: AsyncSession, reply: Message) -> Place:
    known = {"question": reply.parent_id, "chat": reply.chat_id, "key": reply.api_key_id}
    chat_id, owner_id, own_prompt, usual_prompt, waits_for, ends_at = (
        await session.execute(PLACE, known)
    ).one()
    system_prompt = usual_prompt or "" if own_prompt is None else own_prompt
    return Place(chat_id, owner_id, system_prompt, waits_for, ends_at)


async def prepare(session: AsyncSession, reply: Message, place: Place, window: int | None) -> Job:
    """The reply's call, for a model with this context window.

    Raises context.QuestionTooLong, or images.CannotSee when the question has images that the model would not see.
    """
    last_id = reply.id if reply.content else reply.parent_id
    sees = not await is_blind(session, reply.model)
    question = await session.get(Message, reply.parent_id) if not sees and reply.parent_id else None
    if question is not None and question.image_count:
        await images.refuse_blind(session, reply.model)
    told, before = await history.told_up_to(session, place.chat_id, last_id, limit=MOST_MESSAGES, sees=sees)
    newest_first = [Turn(Role.USER, GO_ON), *told] if reply.content else told
    chosen = context.assemble(place.system_prompt, newest_first, window)
    call = Call(
        place.owner_id,
        Request(reply.model, chosen.turns),
        origin=f"chat:{place.chat_id}",
        api_key_id=reply.api_key_id,
        claim=reply.id,
        allowed_models=await models_of(session, reply.api_key_id),
    )
    return Job(call, chosen.left_out + before)
