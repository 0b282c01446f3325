"""Whether conversations say what the ledger says: what their replies used and cost, added up."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.chats.models import RUNNING, Message
from app.usage.models import ChatSum

COMPARED = ("cost_micros", "input_tokens", "output_tokens")


@dataclass(frozen=True)
class Difference:
    """A conversation whose replies do not add up to what the ledger has of it. `what` is one of COMPARED."""

    chat_id: str
    what: str
    messages: int
    ledger: int

    def __str__(self) -> str:
        return (
            f"Conversation {self.chat_id}: {self.what} of its replies is {self.messages}, "
            f"the ledger says {self.ledger}."
        )


async def differences(session: AsyncSession) -> list[Difference]:
    """Every conversation that disagrees; those that are gone or being written in are left out."""
    running = select(Message.chat_id).where(Message.status.in_(RUNNING))
    of_replies = [func.sum(func.coalesce(getattr(Message, name), 0)) for name in COMPARED]
    in_ledger = [getattr(ChatSum, name) for name in COMPARED]
    query = (
        select(Message.chat_id, *of_replies, *in_ledger)
        .join(
            ChatSum, (ChatSum.chat_id == Message.chat_id) & (ChatSum.connection == "") & (ChatSum.model == "")
        )
        .where(Message.output_tokens.is_not(None), Message.chat_id.not_in(running))
        .group_by(Message.chat_id, *in_ledger)
        .order_by(Message.chat_id)
    )
    return [
        difference
        for chat_id, *sums in await session.execute(query)
        for difference in _compared(chat_id, [int(amount) for amount in sums])
    ]


def _compared(chat_id: str, sums: list[int]) -> Iterator[Difference]:
    of_replies, in_ledger = sums[: len(COMPARED)], sums[len(COMPARED) :]
    for what, messages, ledger in zip(COMPARED, of_replies, in_ledger, strict=True):
        if messages != ledger:
            yield Difference(chat_id, what, messages, ledger)
