"""What administrators do with connections. Each change is in the audit log, and none of it holds a key."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import not_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.audit import Act
from app.catalog.addresses import Address, normalised
from app.catalog.keys import clean_key, forget_all
from app.catalog.models import Alias, AliasTarget, Connection
from app.catalog.naming import free_name, slug_of
from app.core.clock import now
from app.core.crypto import Vault, masked
from app.core.errors import Conflict, Invalid, NotFound
from app.providers import registry
from app.providers.registry import KINDS, Kind
from app.providers.wire.addresses import is_in_the_house

LONGEST_LABEL = 60


class Notice(StrEnum):
    """What was done besides what was asked for; `SENTENCES` says it to the administrator."""

    ADDRESS_TRIMMED = "address-trimmed"
    KEY_DELETED = "key-deleted"


SENTENCES = {
    Notice.ADDRESS_TRIMMED: "The end of the address was left off: Parley adds the path of each call itself.",
    Notice.KEY_DELETED: "The key was deleted, because it was meant for the other server. Enter the one for this.",
}


@dataclass(frozen=True)
class WantedConnection:
    """A connection as it was asked for. An empty label or address means the kind's own."""

    kind: str
    label: str = ""
    base_url: str = ""
    key: str = field(default="", repr=False)


async def add(
    session: AsyncSession, vault: Vault, wanted: WantedConnection, act: Act
) -> tuple[Connection, list[Notice]]:
    """The new connection, and what was changed of what was wanted. Raises Invalid, Conflict."""
    kind = kind_named(wanted.kind)
    label = _clean_label(wanted.label or kind.label)
    address = normalised(kind, wanted.base_url)
    key = clean_key(kind, wanted.key)
    connection = Connection(
        name=await free_name(session, label), label=label, kind=kind.name, base_url=address.url
    )
    connection.is_local = kind.keeps_models_loaded and is_in_the_house(address.url)
    _keep_key(connection, vault, key)
    session.add(connection)
    await _flush(session, label)
    _record(session, act, "connection.created", connection, f"{kind.label} {address.url}".strip())
    return connection, _notices_of(address)


async def edit(
    session: AsyncSession,
    vault: Vault,
    connection: Connection,
    wanted: WantedConnection,
    *,
    is_local: bool,
    act: Act,
) -> list[Notice]:
    """Change what it is called, where it is, its key and whether it is local, all of it or nothing.

    An empty key leaves the stored one. Its name in `connection/model` stays, so that chats keep their model.
    Raises Invalid.
    """
    kind = kind_named(connection.kind)
    label = _clean_label(wanted.label or kind.label)
    address = normalised(kind, wanted.base_url)
    key = clean_key(kind, wanted.key)
    notices = _notices_of(address)
    if label != connection.label:
        _record(session, act, "connection.renamed", connection, label)
        connection.label = label
    if address.url != connection.base_url:
        _record(session, act, "connection.address_changed", connection, address.url)
        notices += await _move(session, connection, address.url)
    if key:
        notices = [notice for notice in notices if notice is not Notice.KEY_DELETED]
        _replace_key(session, vault, connection, key, act)
    _mark_local(session, connection, is_local, act)
    return notices


async def delete_key(session: AsyncSession, connection: Connection, act: Act) -> None:
    """Its further keys go with it."""
    await _forget_keys(session, connection)
    _start_afresh(connection)
    _record(session, act, "connection.key_deleted", connection)


def switch(session: AsyncSession, connection: Connection, is_active: bool, act: Act) -> None:
    """On or off: models of a connection that is off cannot be used, and keep their ticks."""
    if connection.is_active != is_active:
        connection.is_active = is_active
        _record(session, act, "connection.activated" if is_active else "connection.deactivated", connection)


async def remove(session: AsyncSession, connection: Connection, act: Act) -> None:
    """Gone with its key and its models; chats stay as they are and ask for another model. Raises Conflict."""
    if alias := await _alias_kept_in_the_house_by(session, connection):
        raise Conflict(
            f"Without {connection.label}, which is local, the alias “{alias}” would ask somebody outside of the "
            "house. Change or remove the alias first."
        )
    _record(session, act, "connection.removed", connection)
    await session.delete(connection)


async def _alias_kept_in_the_house_by(session: AsyncSession, connection: Connection) -> str | None:
    """The name of an alias that stands for a model of this local connection, and for models of others."""
    is_own = AliasTarget.model.startswith(f"{connection.name}/", autoescape=True)
    own = select(AliasTarget.alias_id).where(is_own)
    others = select(AliasTarget.alias_id).where(not_(is_own))
    named = select(Alias.name).where(not_(Alias.allows_cloud), Alias.id.in_(own), Alias.id.in_(others))
    return await session.scalar(named.order_by(Alias.name).limit(1)) if connection.is_local else None


async def refuse_taken(session: AsyncSession, wanted: WantedConnection) -> None:
    """Raises Invalid when there is a connection of this name: a script run twice must not connect twice."""
    name = slug_of(wanted.label)
    if await session.scalar(select(Connection.id).where(Connection.name == name)) is not None:
        raise Invalid(
            f"There is a connection called {name} already. Remove it first, or choose another name."
        )


async def by_id(session: AsyncSession, connection_id: str) -> Connection:
    """Raises NotFound."""
    connection = await session.get(Connection, connection_id)
    if connection is None:
        raise NotFound
    return connection


async def by_name(session: AsyncSession, name: str) -> Connection:
    """The connection called `name`, as the command line names it. Raises NotFound."""
    found = await session.scalar(select(Connection).where(Connection.name == slug_of(name)))
    if found is None:
        raise NotFound(f"There is no connection called “{name}”. `parley providers list` shows all.")
    return found


def kind_named(name: str) -> Kind:
    """Raises Invalid."""
    kind = registry.kind_named(name)
    if kind is None:
        raise Invalid(f"There is no such kind of provider. Choose one of: {', '.join(KINDS)}.", field="kind")
    return kind


async def _flush(session: AsyncSession, label: str) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(f"Somebody connected “{label}” at the same moment. Look at the list.") from error


def _notices_of(address: Address) -> list[Notice]:
    return [Notice.ADDRESS_TRIMMED] if address.is_trimmed else []


def _clean_label(label: str) -> str:
    label = " ".join(label.split())
    if len(label) > LONGEST_LABEL:
        raise Invalid(f"Choose a name of at most {LONGEST_LABEL} characters.", field="label")
    return label


def _keep_key(connection: Connection, vault: Vault, key: str) -> None:
    if key:
        connection.encrypted_key = vault.encrypt(key)
        connection.key_hint = masked(key)


def _replace_key(session: AsyncSession, vault: Vault, connection: Connection, key: str, act: Act) -> None:
    """The next call uses it."""
    _keep_key(connection, vault, key)
    _start_afresh(connection)
    _record(session, act, "connection.key_replaced", connection)


def _mark_local(session: AsyncSession, connection: Connection, is_local: bool, act: Act) -> None:
    """Whether what is sent to it stays in the house: then no alias goes on from it to a connection outside."""
    if connection.is_local != is_local:
        connection.is_local = is_local
        _record(session, act, "connection.made_local" if is_local else "connection.made_remote", connection)


async def _forget_keys(session: AsyncSession, connection: Connection) -> None:
    connection.encrypted_key = None
    connection.key_hint = ""
    await forget_all(session, connection)


async def _move(session: AsyncSession, connection: Connection, url: str) -> list[Notice]:
    """To another address. A key goes only where it was meant for: another server means another key."""
    is_elsewhere = _server_of(url) != _server_of(connection.base_url)
    connection.base_url = url
    _start_afresh(connection)
    if is_elsewhere and connection.encrypted_key is not None:
        await _forget_keys(session, connection)
        return [Notice.KEY_DELETED]
    return []


def _server_of(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _start_afresh(connection: Connection) -> None:
    """What was heard before the change says nothing any more."""
    connection.last_error_at = None
    connection.last_error = connection.last_remedy = connection.last_error_code = ""
    connection.last_success_at = None
    connection.last_answer_ms = None
    connection.refresh_tried_at = None
    connection.changed_at = now()


def _record(session: AsyncSession, act: Act, action: str, connection: Connection, detail: str = "") -> None:
    audit.record(session, act, action, subject=connection.name, detail=detail)
