"""Aliases as people and programs are offered them: with what stands behind them, as far as they may use it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.catalog.access import UsableModel, usable_models
from app.catalog.listing import ListedModel
from app.catalog.models import Alias, AliasTarget

LABEL = "Aliases"
"""What stands above them in the list of models."""


class _Named(Protocol):
    @property
    def full_name(self) -> str: ...


Named = TypeVar("Named", bound=_Named)


@dataclass(frozen=True)
class ListedAlias:
    """An alias that may be called, and the models behind it in their order."""

    name: str
    models: tuple[ListedModel, ...]

    @property
    def context_window(self) -> int | None:
        """In tokens, what fits into each of the models."""
        return _least(model.context_window for model in self.models)


async def choices_for(session: AsyncSession, user: User) -> list[UsableModel]:
    """What a person may choose from: aliases, then models."""
    models = await usable_models(session, user)
    return [*await usable_aliases(session, models), *models]


async def usable_aliases(session: AsyncSession, models: Sequence[UsableModel]) -> list[UsableModel]:
    """Every alias that stands for some of these models, as a choice beside them."""
    return [_choice(name, behind) for name, behind in (await _by_alias(session, models)).items()]


async def listed_aliases(session: AsyncSession, models: Sequence[ListedModel]) -> list[ListedAlias]:
    """Every alias that stands for some of these models."""
    return [ListedAlias(name, tuple(behind)) for name, behind in (await _by_alias(session, models)).items()]


async def _by_alias(session: AsyncSession, models: Iterable[Named]) -> Mapping[str, Sequence[Named]]:
    """The models behind each alias, by its name. An alias of which nothing is left is none."""
    known = {model.full_name: model for model in models}
    rows = await session.execute(
        select(Alias.name, AliasTarget.model).join(Alias).order_by(Alias.name, AliasTarget.position)
    )
    found: dict[str, list[Named]] = {}
    for name, full_name in rows:
        if full_name in known:
            found.setdefault(name, []).append(known[full_name])
    return found


def _choice(name: str, behind: Sequence[UsableModel]) -> UsableModel:
    """It can do what all can do; it looks like the first that works, and is priced like that."""
    ready = [model for model in behind if model.is_usable] or behind
    first = ready[0]
    return replace(
        first,
        full_name=name,
        label=name,
        connection_label=LABEL,
        context_window=_least(model.context_window for model in ready),
        max_output_tokens=_least(model.max_output_tokens for model in ready),
        abilities=tuple(
            ability for ability in first.abilities if all(ability in model.abilities for model in ready)
        ),
        stands_for=tuple(model.full_name for model in behind),
        priced_as=first.full_name,
    )


def _least(sizes: Iterable[int | None]) -> int | None:
    return min((size for size in sizes if size is not None), default=None)
