"""Aliases: names that administrators give to several models. Each change is in the audit log."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.catalog.access import full_name_of
from app.catalog.models import Alias, AliasTarget, Connection, Model
from app.core.errors import Conflict, Invalid, NotFound

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
MOST_TARGETS = 20
LARGEST_WEIGHT = 1_000


@dataclass(frozen=True)
class Share:
    """A model behind an alias, by its full name. Of two with weights 3 and 1 the first gets three calls in four."""

    model: str
    weight: int = 1

    @classmethod
    def parse(cls, text: str) -> "Share":
        """`openai/gpt-5.6=3`, or without a weight. Raises Invalid."""
        model, _, weight = text.strip().rpartition("=")
        if not model or not weight.isdecimal():
            model, weight = text.strip(), "1"
        if not 1 <= int(weight[:6]) <= LARGEST_WEIGHT:
            raise Invalid(f"A weight is a number from 1 to {LARGEST_WEIGHT}.", field="targets")
        return cls(model, int(weight[:6]))

    def text(self, *, is_weighted: bool) -> str:
        return f"{self.model}={self.weight}" if is_weighted else self.model


@dataclass(frozen=True)
class WantedAlias:
    """An alias as an administrator wants it."""

    name: str
    shares: tuple[Share, ...]
    is_weighted: bool = False
    allows_cloud: bool = False

    @property
    def detail(self) -> str:
        """For the audit log."""
        shares = ", ".join(share.text(is_weighted=self.is_weighted) for share in self.shares)
        return f"{shares}; may leave the house" if self.allows_cloud else shares


def shares_from(text: str) -> tuple[Share, ...]:
    """One model a line. Raises Invalid."""
    return tuple(Share.parse(line) for line in text.splitlines() if line.strip())


async def add(session: AsyncSession, wanted: WantedAlias, act: Act) -> Alias:
    """Raises Invalid, Conflict."""
    name = wanted.name.strip().lower()
    if NAME.fullmatch(name) is None:
        raise Invalid("Choose a name of up to 40 letters, digits, dots, dashes or underscores.", field="name")
    if await session.scalar(select(Alias.id).where(Alias.name == name)) is not None:
        raise Invalid(f"There is an alias called “{name}” already.", field="name")
    await _check(session, wanted.shares)
    alias = Alias(name=name, is_weighted=wanted.is_weighted, allows_cloud=wanted.allows_cloud)
    session.add(alias)
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(f"Somebody made “{name}” at the same moment. Look at the list.") from error
    _write(session, alias, wanted.shares)
    audit.record(session, act, "alias.created", subject=name, detail=wanted.detail)
    return alias


async def change(session: AsyncSession, alias: Alias, wanted: WantedAlias, act: Act) -> None:
    """Let it stand for other models, or in another way; its name stays. Raises Invalid."""
    before = WantedAlias(alias.name, await shares_of(session, alias), alias.is_weighted, alias.allows_cloud)
    # What stood there before may stay, though nobody offers it just now.
    await _check(session, wanted.shares, known={share.model for share in before.shares})
    alias.is_weighted, alias.allows_cloud = wanted.is_weighted, wanted.allows_cloud
    await session.execute(delete(AliasTarget).where(AliasTarget.alias_id == alias.id))
    _write(session, alias, wanted.shares)
    if before.detail != wanted.detail or before.is_weighted != wanted.is_weighted:
        audit.record(session, act, "alias.changed", subject=alias.name, detail=wanted.detail)


async def remove(session: AsyncSession, alias: Alias, act: Act) -> None:
    """Conversations that ask for it ask for another model from then on."""
    audit.record(session, act, "alias.removed", subject=alias.name)
    await session.delete(alias)


async def by_id(session: AsyncSession, alias_id: str) -> Alias:
    """Raises NotFound."""
    alias = await session.get(Alias, alias_id)
    if alias is None:
        raise NotFound
    return alias


async def by_name(session: AsyncSession, name: str) -> Alias:
    """Raises NotFound."""
    alias = await session.scalar(select(Alias).where(Alias.name == name.strip().lower()))
    if alias is None:
        raise NotFound(f"There is no alias called “{name}”. `parley aliases list` shows all.")
    return alias


async def all_aliases(session: AsyncSession) -> Mapping[Alias, Sequence[Share]]:
    """Every alias by name, with what stands behind it."""
    aliases = (await session.scalars(select(Alias).order_by(Alias.name))).all()
    shares: dict[str, list[Share]] = {alias.id: [] for alias in aliases}
    for target in await session.scalars(
        select(AliasTarget).order_by(AliasTarget.alias_id, AliasTarget.position)
    ):
        shares[target.alias_id].append(Share(target.model, target.weight))
    return {alias: shares[alias.id] for alias in aliases}


async def shares_of(session: AsyncSession, alias: Alias) -> tuple[Share, ...]:
    targets = await session.scalars(
        select(AliasTarget).where(AliasTarget.alias_id == alias.id).order_by(AliasTarget.position)
    )
    return tuple(Share(target.model, target.weight) for target in targets)


async def existing(session: AsyncSession, full_names: Collection[str]) -> set[str]:
    """Those of these models that some connection has."""
    halves = [name.partition("/")[::2] for name in full_names]
    found = await session.execute(
        select(Model, Connection).join(Connection).where(tuple_(Connection.name, Model.name).in_(halves))
    )
    return {full_name_of(model, connection) for model, connection in found}


async def _check(session: AsyncSession, shares: Sequence[Share], known: Collection[str] = ()) -> None:
    names = [share.model for share in shares]
    if not names:
        raise Invalid("Name at least one model, as connection/model.", field="targets")
    if len(names) > MOST_TARGETS:
        raise Invalid(f"An alias can stand for at most {MOST_TARGETS} models.", field="targets")
    if len(set(names)) < len(names):
        raise Invalid("Name each model once.", field="targets")
    there = await existing(session, names)
    for name in names:
        if name not in there and name not in known:
            raise Invalid(
                f"There is no model “{name[:100]}”. Write its full name, as connection/model.",
                field="targets",
            )


def _write(session: AsyncSession, alias: Alias, shares: Sequence[Share]) -> None:
    session.add_all(
        AliasTarget(alias_id=alias.id, position=position, model=share.model, weight=share.weight)
        for position, share in enumerate(shares)
    )
