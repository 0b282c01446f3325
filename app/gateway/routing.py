"""Where a call goes: the models that may answer to its name, in the order in which they are asked.

What stands behind a name is kept in memory (see `core.changes`); the order is found anew for every call.
"""

import random
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.catalog.access import ModelNotUsable
from app.catalog.candidates import Candidate, Candidates, candidates_for
from app.core.changes import Kept
from app.core.database import Database
from app.gateway.circuit import Circuits
from app.gateway.terms import Terms, terms_of

EVERYTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Route:
    """Where one call may go. `candidates` are asked in their order, never more than one at a time."""

    name: str
    candidates: tuple[Terms, ...]
    full_names: tuple[str, ...]
    """All models that may answer to this name, for keys that are kept to some."""

    @property
    def first(self) -> Terms:
        return self.candidates[0]


@dataclass(frozen=True)
class Plan:
    """What stands behind a name for one person; of what can be called the terms, by full name."""

    found: Candidates
    terms: dict[str, Terms]

    @cached_property
    def only(self) -> Route | None:
        """Where a call goes in any case, when there is nothing to choose."""
        if len(self.found.models) > 1 or not self.terms:
            return None
        return Route(self.found.name, tuple(self.terms.values()), tuple(self.terms))

    @property
    def context_window(self) -> int | None:
        """In tokens, what fits into each of the models."""
        windows = [terms.model.context_window for terms in self.terms.values()]
        return min((window for window in windows if window is not None), default=None)


class Routes:
    """One for each process. `draw` gives numbers from 0 to 1."""

    def __init__(
        self, database: Database, circuits: Circuits, draw: Callable[[], float] = random.random
    ) -> None:
        self._database = database
        self._circuits = circuits
        self._draw = draw
        self._kept = Kept(database.changes, self._read)

    async def plan(self, user_id: str, name: str) -> Plan:
        """Raises catalog.access.ModelNotUsable where nothing of this name is there for the person."""
        return await self._kept.get((user_id, name))

    async def of(self, user_id: str, name: str, allowed: Collection[str] = EVERYTHING) -> Route:
        """Where a call goes now. `allowed`: full names or aliases that a key is kept to; empty: everything.

        Raises catalog.access.ModelNotUsable.
        """
        plan = await self.plan(user_id, name)
        if plan.only is not None and not allowed:
            return plan.only
        models = _allowed(plan.found, allowed)
        ordered = in_order(models, self._draw) if plan.found.is_weighted else models
        wanted = ordered if plan.found.allows_cloud else kept_in_the_house(ordered)
        able = [plan.terms[model.full_name] for model in wanted if model.full_name in plan.terms]
        if not able:
            raise ModelNotUsable(_why_not(plan.found, wanted))
        return Route(name, self._awake(able), tuple(model.full_name for model in models))

    async def first_of(self, user_id: str, name: str, allowed: Collection[str] = EVERYTHING) -> Terms:
        """Where a call goes whose answers are compared with each other: neither chance nor a rest changes it.

        Raises catalog.access.ModelNotUsable.
        """
        plan = await self.plan(user_id, name)
        first = _allowed(plan.found, allowed)[:1]
        if not first or first[0].full_name not in plan.terms:
            raise ModelNotUsable(_why_not(plan.found, first))
        return plan.terms[first[0].full_name]

    def _awake(self, able: Sequence[Terms]) -> tuple[Terms, ...]:
        """Without connections that rest. When all do, the one whose rest ends first: better asked than refused."""
        if len(able) > 1:
            if awake := [terms for terms in able if self._circuits.is_ready(terms.model.target)]:
                return tuple(awake)
            return (min(able, key=lambda terms: self._circuits.ready_at(terms.model.target)),)
        return tuple(able)

    async def _read(self, asked: tuple[str, str]) -> Plan:
        user_id, name = asked
        async with self._database.reading() as session:
            found = await candidates_for(session, name, user_id)
            models = [candidate.model for candidate in found.models if candidate.model is not None]
            terms = await terms_of(session, user_id, models)
        return Plan(found, {each.model.full_name: each for each in terms})


def in_order(models: Sequence[Candidate], draw: Callable[[], float]) -> list[Candidate]:
    """All of them, in an order of chance: each comes first as often as its weight says.

    Drawn one after another among those that are left; Efraimidis and Spirakis showed that sorting by
    draw ** (1 / weight) does the same.
    """
    return sorted(models, key=lambda model: draw() ** (1 / model.weight), reverse=True)


def kept_in_the_house(models: Iterable[Candidate]) -> list[Candidate]:
    """Without what stands outside behind a local one: what was meant for the house does not leave it.

    That the local one cannot be called just now changes nothing.
    """
    kept: list[Candidate] = []
    is_in_the_house = False
    for model in models:
        is_in_the_house = is_in_the_house or model.is_local
        if model.is_local or not is_in_the_house:
            kept.append(model)
    return kept


def _allowed(found: Candidates, allowed: Collection[str]) -> Sequence[Candidate]:
    """As far as a key is kept to models: to the name that is asked for, or to some that it stands for."""
    if not allowed or found.name in allowed:
        return found.models
    return [model for model in found.models if model.full_name in allowed]


def _why_not(found: Candidates, wanted: Sequence[Candidate]) -> str:
    if not wanted:
        return f"This key may use no model that “{found.name}” stands for."
    reason = wanted[0].why_not
    if len(found.models) == 1 and found.name == wanted[0].full_name:
        return reason
    return f"“{found.name}” cannot answer just now. {reason}"
