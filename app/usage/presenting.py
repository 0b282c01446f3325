"""What a page of usage shows: one template for one's own use, a group's and the whole workspace's."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import groups
from app.accounts.models import Group, Workspace
from app.core.clock import now
from app.core.templating import environment
from app.usage import showing
from app.usage.access import TitlesOf, View, Wish
from app.usage.calculator import Plan
from app.usage.currency import currency_of
from app.usage.dashboard import MOST_ROWS, dashboard
from app.usage.names import ORIGINS, Names, initials
from app.usage.pace import paces
from app.usage.series import long_label

PERIODS = (("7 days", "7d"), ("Month", "month"), ("Year", "year"))

environment.filters |= {"short": showing.short, "seconds": showing.seconds, "initials": initials}


async def shown(
    session: AsyncSession,
    workspace: Workspace,
    view: View,
    wish: Wish,
    plan: Plan | None = None,
    titles_of: TitlesOf | None = None,
) -> dict[str, Any]:
    """What the template `usage/_dashboard.html` needs. Raises Invalid.

    `titles_of` names conversations; without it they are told by person and day only, because what somebody
    talks about is not their administrator's to read.
    """
    currency = currency_of(workspace)
    found = await dashboard(session, view, wish, plan, rate_micros=currency.rate_micros)
    chats = [one.chat_id for one in found.conversations or ()]
    return {
        "dashboard": found,
        "view": view,
        "wish": wish,
        "range": found.question.range,
        "names": found.names,
        "titles": await titles_of(session, view.viewer, chats) if titles_of and chats else {},
        "budgets": await paces(session, view, now(), currency),
        "managed": await _managed(session, view),
        "periods": _periods(view, wish, found.question.range.name),
        "options": _options(view, wish, found.names, [what.full_name for what in found.known_models]),
        "plan": asdict(plan or Plan()),
        "is_planned": plan is not None,
        "most_rows": MOST_ROWS,
        "change": showing.change,
        "percent": showing.percent,
        "long_label": lambda name: long_label(name, found.question.range.grain),
        "amount": lambda value: showing.amount(currency, found.measure, value),
        "axis": lambda value: showing.axis(currency, found.measure, value),
        "cost": lambda total: showing.cost(currency, total),
        "description": showing.described(found, currency),
    }


def _periods(view: View, wish: Wish, chosen: str) -> list[tuple[str, str, bool]]:
    """The segments: each forgets other days and bars."""
    return [
        (text, wish.address(view.base, **{"period": name, "from": "", "to": "", "by": ""}), chosen == name)
        for text, name in PERIODS
    ]


async def _managed(session: AsyncSession, view: View) -> list[Group]:
    """The groups whose usage the viewer may look at too."""
    if not view.is_own:
        return []
    return list(await groups.managed_by(session, view.viewer))


def _options(
    view: View, wish: Wish, names: Names, models: list[str]
) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """The lists to choose from: label, name in the address, choices, what is chosen."""
    providers = sorted({name.partition("/")[0] for name in models})
    lists: list[tuple[str, str, Mapping[str, str]]] = [
        ("provider", "All providers", {name: name for name in providers}),
        ("model", "All models", {name: names.model(name).label for name in models}),
        ("key", "All keys", names.keys),
        ("origin", "All origins", ORIGINS),
    ]
    if not view.is_own:
        lists.insert(0, ("user", "All people", names.people))
    if not view.is_own and not view.is_of_group:
        lists.insert(0, ("group", "All groups", names.groups))
    chosen = vars(wish.filter)
    return [
        (label, name, [("", label), *choices.items()], chosen[name])
        for name, label, choices in lists
        if choices or chosen[name]
    ]
