"""One conversation: what it used since its start, by model.

Who it was with and what it cost is for those whose view reaches it; what it is called is for its owner only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Workspace
from app.core.errors import NotFound
from app.usage import ranges, reports, showing
from app.usage.access import TitlesOf, View
from app.usage.currency import currency_of
from app.usage.models import ChatSum
from app.usage.names import names
from app.usage.rollups import ALL_MODELS, Total

DELETED = "Deleted conversation"


@dataclass(frozen=True)
class ModelUse:
    """What a conversation used of one model, `connection/model`."""

    full_name: str
    total: Total
    is_estimate: bool = False
    """Whether some of its figures are."""


@dataclass(frozen=True)
class ConversationUse:
    """What a conversation used since its start. The models that cost most come first."""

    chat_id: str
    user_id: str
    first_day: date
    last_day: date
    total: Total
    models: Sequence[ModelUse]

    @property
    def is_estimate(self) -> bool:
        return any(one.is_estimate for one in self.models)


async def use_of(session: AsyncSession, view: View, chat_id: str) -> ConversationUse | None:
    """What `view` shows of a conversation. None: nothing was used in it, or the view does not reach it."""
    row = await session.get(ChatSum, (chat_id, *ALL_MODELS))
    if row is None or not _reaches(view, row):
        return None
    first_day, last_day = date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)
    by_model = await reports.of_conversation(session, chat_id)
    estimated = await reports.estimated_in(session, row.user_id, chat_id, first_day, last_day)
    models = [ModelUse(what.full_name, total, what in estimated) for what, total in by_model.items()]
    return ConversationUse(
        chat_id,
        row.user_id,
        first_day,
        last_day,
        reports.total_in(row),
        sorted(models, key=lambda one: (-one.total.cost_micros, -one.total.tokens, one.full_name)),
    )


async def shown(
    session: AsyncSession, workspace: Workspace, view: View, chat_id: str, titles_of: TitlesOf | None = None
) -> dict[str, Any]:
    """What the template `usage/_conversation.html` needs. Raises NotFound.

    With `titles_of`, the owner also sees one in which nothing was used yet.
    """
    use = await use_of(session, view, chat_id)
    titles = await titles_of(session, view.viewer, [chat_id]) if titles_of else {}
    if use is None and chat_id not in titles:
        raise NotFound
    known = await names(session, view.viewer, models={one.full_name for one in use.models} if use else ())
    return {
        "view": view,
        "use": use,
        "title": _title(view, titles.get(chat_id), known.person(use.user_id) if use else ""),
        "chat_url": f"/chats/{chat_id}" if chat_id in titles else "",
        "names": known,
        "lead": f"What it used since its start, {ranges.in_words(use.first_day, use.last_day)}."
        if use
        else "",
        "percent": showing.percent,
        "cost": lambda of: showing.cost(currency_of(workspace), of.total, is_estimate=of.is_estimate),
    }


def _title(view: View, own: str | None, person: str) -> str:
    if view.is_own:
        return own or DELETED
    return f"A conversation of {person}"


def _reaches(view: View, row: ChatSum) -> bool:
    if view.is_own:
        return row.user_id == view.limit.user
    return not view.is_of_group or row.group_id == view.limit.group
