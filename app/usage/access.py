"""Whose usage a person may see: one's own, that of a group one manages, or, for administrators, everybody's.

A view narrows every question that is asked through it, so that no address can widen it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import groups
from app.accounts.access import CurrentAdministrator, CurrentIdentity, CurrentUser, Identity
from app.accounts.models import User
from app.core.clock import now
from app.core.database import Session
from app.core.errors import NotFound
from app.usage import days, ranges
from app.usage.calculator import Plan
from app.usage.questions import Filter, Question

TitlesOf = Callable[[AsyncSession, User, Sequence[str]], Awaitable[Mapping[str, str]]]
"""How the conversations that a person may see are called, by id: lent by the room where they live."""

EVERYTHING = Filter()
Part = Annotated[str, Query(max_length=200)]
Count = Annotated[int, Query(ge=0, le=100_000)]


@dataclass(frozen=True)
class View:
    """What somebody looks at. `base` is the page's address; `limit` holds for every question."""

    viewer: User
    name: str
    base: str
    api: str
    limit: Filter

    @property
    def is_own(self) -> bool:
        return bool(self.limit.user)

    @property
    def is_of_group(self) -> bool:
        return bool(self.limit.group)

    def narrowed(self, wanted: Filter) -> Filter:
        """What is asked for, as far as this view reaches."""
        if self.is_own:
            return replace(wanted, user=self.limit.user, group="")
        return replace(wanted, group=self.limit.group) if self.is_of_group else wanted


@dataclass(frozen=True)
class Wish:
    """What the address asks for, as it was written."""

    period: str = ""
    first: str = ""
    last: str = ""
    grain: str = ""
    measure: str = ""
    filter: Filter = EVERYTHING

    @property
    def parameters(self) -> dict[str, str]:
        """The same as parts of an address; what is empty is left out."""
        named = {
            "period": self.period,
            "from": self.first,
            "to": self.last,
            "by": self.grain,
            "show": self.measure,
            **vars(self.filter),
        }
        return {name: value for name, value in named.items() if value}

    def address(self, base: str, **changes: str) -> str:
        """`base` with these wishes, some of them changed; an empty change takes one away."""
        changed = self.parameters | changes
        kept = {name: value for name, value in changed.items() if value}
        return f"{base}?{urlencode(kept)}" if kept else base


async def question(session: AsyncSession, view: View, wish: Wish) -> Question:
    """What is asked, in the workspace's days and within what may be seen. Raises Invalid."""
    today = now().astimezone(await days.workspace_zone(session)).date()
    wanted = ranges.chosen(today, period=wish.period, first=wish.first, last=wish.last, grain=wish.grain)
    return Question(wanted, view.narrowed(wish.filter))


def workspace_view(administrator: User) -> View:
    """Everything. Only for those who came through the administrators' guard."""
    return View(administrator, "Usage", "/admin/usage", "/api/usage/workspace", EVERYTHING)


async def group_view(session: AsyncSession, identity: Identity, group_id: str) -> View:
    """What a group pays for, shown to its managers and to administrators. Raises NotFound."""
    group, user = await groups.by_id(session, group_id), identity.user
    managed = {one.id for one in await groups.managed_by(session, user)}
    if group.id not in managed and not identity.caller.is_administrator:
        raise NotFound
    address = f"/usage/groups/{group.id}"
    return View(user, f"Usage of {group.name}", address, f"/api{address}", Filter(group=group.id))


async def _own_view(user: CurrentUser) -> View:
    return View(user, "Your usage", "/usage", "/api/usage", Filter(user=user.id))


async def _group_view(session: Session, identity: CurrentIdentity, group_id: str) -> View:
    return await group_view(session, identity, group_id)


async def _workspace_view(administrator: CurrentAdministrator) -> View:
    return workspace_view(administrator)


def _wish(
    period: Part = "",
    first: Annotated[str, Query(alias="from", max_length=20)] = "",
    last: Annotated[str, Query(alias="to", max_length=20)] = "",
    grain: Annotated[str, Query(alias="by", max_length=20)] = "",
    measure: Annotated[str, Query(alias="show", max_length=20)] = "",
    user: Part = "",
    group: Part = "",
    key: Part = "",
    provider: Part = "",
    model: Part = "",
    origin: Part = "",
) -> Wish:
    return Wish(period, first, last, grain, measure, Filter(user, group, key, provider, model, origin))


def _plan(
    plan: Annotated[str, Query(max_length=10)] = "",
    people: Count = Plan.people,
    messages: Count = Plan.messages,
    input_tokens: Count = Plan.input_tokens,
    output_tokens: Count = Plan.output_tokens,
) -> Plan | None:
    return Plan(people, messages, input_tokens, output_tokens) if plan else None


def _titles_of(request: Request) -> TitlesOf:
    titles_of: TitlesOf = request.app.state.titles_of
    return titles_of


OwnView = Annotated[View, Depends(_own_view)]
GroupView = Annotated[View, Depends(_group_view)]
WorkspaceView = Annotated[View, Depends(_workspace_view)]
CurrentPlan = Annotated[Plan | None, Depends(_plan)]
CurrentWish = Annotated[Wish, Depends(_wish)]
Titles = Annotated[TitlesOf, Depends(_titles_of)]
