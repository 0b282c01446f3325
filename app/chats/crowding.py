"""How many replies may be written for one person at the same time, where no budget says so.

A script that loops must not keep everybody else waiting. Budgets of running replies go before: whoever sets
one decides alone.
"""

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.chats.models import RUNNING, Chat, Message
from app.core.errors import TooMany
from app.usage.models import Budget, Unit


class TooManyReplies(TooMany):
    code = "too_many_replies"
    title = "Too many answers at once"


async def refuse_another(session: AsyncSession, user: User, most: int) -> None:
    """Raises TooManyReplies while `most` replies are being written for this person; 0 is any number."""
    if not most or await _running_for(session, user) < most or await _budgets_decide(session):
        return
    raise TooManyReplies(
        f"{most} answers are being written for you already. Wait until one is done, or stop one.",
        retry_after=5,
    )


async def _running_for(session: AsyncSession, user: User) -> int:
    query = select(func.count()).select_from(Message).join(Chat, Message.chat_id == Chat.id)
    return await session.scalar(query.where(Message.status.in_(RUNNING), Chat.owner_id == user.id)) or 0


async def _budgets_decide(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(exists().where(Budget.unit == Unit.REPLIES))))
