"""Which models a person may use, and why one cannot be used: the only door to models for other rooms."""

from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.catalog.models import Connection, Model
from app.catalog.opening import Target
from app.catalog.overview import UNKNOWN_KIND, kind_of
from app.catalog.restrictions import is_open_to
from app.core.errors import ParleyError
from app.providers.registry import KINDS

NEEDS_AN_ADMINISTRATOR = frozenset(
    {"key_rejected", "key_missing", "key_unreadable", "not_reachable", "not_the_protocol"}
)
"""Errors that the next call meets again. Others (a rate limit, a time-out) are gone in a moment."""


class ModelNotUsable(ParleyError):
    """The model is gone, not ticked, or its connection is off; the message says what to do."""

    status = 422
    code = "model_not_usable"
    title = "This model cannot be used"


@dataclass(frozen=True)
class Make:
    """What a model is made of, as far as its provider tells; `size` is bytes on disk."""

    family: str | None = None
    parameters: str | None = None
    quantization: str | None = None
    size: int | None = None

    @classmethod
    def of(cls, model: Model) -> "Make":
        return cls(model.family, model.parameters, model.quantization, model.size)


@dataclass(frozen=True)
class UsableModel:
    """A model as the picker shows it. `why_not` is a sentence, or None when it can be used."""

    full_name: str
    label: str
    connection: str
    connection_label: str
    kind: str
    icon: str
    hue: int
    context_window: int | None
    max_output_tokens: int | None
    abilities: tuple[str, ...]
    """Of `vision`, `tools`, `reasoning`; only what the provider says it can do."""
    is_blind: bool = False
    """Known to see no images; where its provider does not tell, it is asked."""
    why_not: str | None = None
    base_url: str = ""
    """Where the connection leads; decides the price."""
    name: str = ""
    """The provider's own."""
    connection_id: str = ""
    make: Make = Make()
    stands_for: tuple[str, ...] = ()
    """Of an alias: the full names of the models behind it."""
    priced_as: str = ""
    """Of an alias: the full name of the model whose price is shown."""

    @property
    def is_usable(self) -> bool:
        return self.why_not is None


@dataclass(frozen=True)
class ModelFace:
    """How a model is shown beside what it wrote, whether or not it can still be used."""

    label: str
    connection_label: str
    icon: str
    hue: int


@dataclass(frozen=True)
class FoundModel:
    """A model that may be called now: `connection/name`, where `name` is the provider's own."""

    connection: str
    name: str
    context_window: int | None
    max_output_tokens: int | None
    target: Target
    vision: bool | None = None
    """Whether it sees images; None when its provider does not tell."""

    @property
    def full_name(self) -> str:
        return f"{self.connection}/{self.name}"


async def usable_models(session: AsyncSession, user: User, *, embedding: bool = False) -> list[UsableModel]:
    """The ticked models that `user` may choose from, by connection and name; with those for embeddings if asked for.

    What is kept to groups of others is not among them. Those that cannot answer just now are listed with the
    reason, so that nobody wonders where they went.
    """
    found = await session.execute(
        select(Model, Connection)
        .join(Connection, Model.connection_id == Connection.id)
        .where(Connection.is_active, Model.is_enabled, is_open_to(user.id))
        .order_by(Connection.label, Connection.id, Model.display_name, Model.name)
    )
    return [_as_choice(model, connection) for model, connection in found if embedding or not model.embeddings]


async def faces_of(session: AsyncSession, full_names: set[str], user_id: str) -> dict[str, ModelFace]:
    """The face of each of these models, by full name; one that is gone is shown by its name.

    So is one that this person may not use: whoever guesses its name must not see that it exists.
    """
    halves = [full_name.partition("/")[::2] for full_name in full_names]
    found = await session.execute(
        select(Model, Connection)
        .join(Connection, Model.connection_id == Connection.id)
        .where(tuple_(Connection.name, Model.name).in_(halves), is_open_to(user_id))
    )
    known = {full_name_of(model, connection): _face(model, connection) for model, connection in found}
    return {name: known.get(name) or _face_of_stranger(name) for name in full_names}


def full_name_of(model: Model, connection: Connection) -> str:
    return f"{connection.name}/{model.name}"


def _face(model: Model, connection: Connection) -> ModelFace:
    kind = kind_of(connection)
    return ModelFace(model.display_name, connection.label, icon=kind.icon, hue=kind.hue)


def _face_of_stranger(full_name: str) -> ModelFace:
    # What was not asked yet goes by the name that it was asked for, such as an alias.
    connection, _, name = full_name.partition("/") if "/" in full_name else ("", "", full_name)
    return ModelFace(name or "No model", connection, icon=UNKNOWN_KIND.icon, hue=UNKNOWN_KIND.hue)


def _as_choice(model: Model, connection: Connection) -> UsableModel:
    kind = kind_of(connection)
    return UsableModel(
        full_name=full_name_of(model, connection),
        label=model.display_name,
        connection=connection.name,
        connection_label=connection.label,
        kind=connection.kind,
        icon=kind.icon,
        hue=kind.hue,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        abilities=model.abilities,
        is_blind=model.vision is False,
        why_not=refusal(model, connection) or trouble(connection),
        base_url=connection.base_url,
        name=model.name,
        connection_id=connection.id,
        make=Make.of(model),
    )


def refusal(model: Model, connection: Connection) -> str | None:
    """Why the gateway would not call it."""
    if connection.kind not in KINDS:
        return f"This version of Parley does not know the kind of {connection.label}. Choose another model."
    if not connection.is_active:
        return f"{connection.label} is switched off. Choose another model, or ask an administrator."
    if model.missing_since is not None:
        return f"{connection.label} no longer offers {model.display_name}. Choose another model."
    if not model.is_enabled:
        return (
            f"{model.display_name} is not open to people here. Choose another model, or ask an administrator."
        )
    return None


def trouble(connection: Connection) -> str | None:
    """What people are told of a failing connection. The gateway tries all the same: it may be well again."""
    if connection.is_failing and connection.last_error_code in NEEDS_AN_ADMINISTRATOR:
        return f"{connection.last_error} An administrator can look at it under Administration → Connections."
    return None


def never_heard_of(full_name: str) -> str:
    if not full_name:
        return "No model is chosen. Choose one first."
    return f"There is no model “{full_name[:100]}” here any more. Choose another model."
