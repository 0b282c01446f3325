"""Open providers: one for each connection, kept while the connection stays as it is.

The row's own values are the version: whoever asks has just read them, so a replaced key or address is
effective with the next call, in every process, without anyone being told.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from app.catalog.models import Connection
from app.catalog.sharing import SharedLoad
from app.core.crypto import Undecipherable, Vault, open_vault
from app.core.settings import Settings
from app.providers import wire
from app.providers.base import Endpoint, Provider, Timeouts
from app.providers.errors import BY_CODE, ProviderError
from app.providers.registry import KINDS, Kind


class KeyUnreadable(ProviderError):
    """The stored key was encrypted with an encryption key that is no longer here."""

    code = "key_unreadable"
    title = "The provider's key can no longer be read"
    word = "Key unreadable"


class KeyMissing(ProviderError):
    """The provider wants a key, and none is stored."""

    code = "key_missing"
    title = "The provider wants a key"
    word = "No key"


ERRORS: dict[str, type[ProviderError]] = {
    **BY_CODE,
    KeyMissing.code: KeyMissing,
    KeyUnreadable.code: KeyUnreadable,
}
"""Every way in which a call of a connection may fail, by its code."""


@dataclass(frozen=True)
class Target:
    """What of a connection decides how it is called. `label` is what its errors call it."""

    connection_id: str
    label: str
    kind: str
    base_url: str
    encrypted_key: str | None = field(default=None, repr=False)
    more_keys: tuple[str, ...] = field(default=(), repr=False)
    """Encrypted as well; without them everything is asked with the first key."""


def target_of(connection: Connection, more_keys: tuple[str, ...] = ()) -> Target:
    return Target(
        connection.id,
        connection.label,
        connection.kind,
        connection.base_url,
        connection.encrypted_key,
        more_keys,
    )


class OpenProviders:
    """The open providers of one process. Keys are decrypted here and nowhere else."""

    def __init__(self, vault: Vault, settings: Settings) -> None:
        self._vault = vault
        self._settings = settings
        self._open: dict[tuple[str, bool], tuple[Target, Provider]] = {}

    def provider_for(self, target: Target) -> Provider:
        """The provider of `target`, opened when it is new or has changed. Raises KeyMissing, KeyUnreadable."""
        place = target.connection_id, bool(target.more_keys)
        held = self._open.get(place)
        if held is not None and held[0] == target:
            return held[1]
        provider = self._opened(target)
        self._open[place] = (target, provider)
        return provider

    def _opened(self, target: Target) -> Provider:
        retries = self._settings.provider_retries
        if not target.more_keys:
            return self._opened_with(target, self._key_of(target), retries)
        keys = [self._key_of(target), *map(self._plain, target.more_keys)]
        return SharedLoad([self._opened_with(target, key, retries=0) for key in keys], retries)

    def _opened_with(self, target: Target, key: str | None, retries: int) -> Provider:
        return KINDS[target.kind].open(
            Endpoint(
                base_url=target.base_url,
                key=key,
                timeouts=_timeouts(self._settings),
                retries=retries,
                label=target.label,
            )
        )

    async def close(self) -> None:
        """Hang up, when the process stops."""
        self._open.clear()
        await wire.close()

    def _key_of(self, target: Target) -> str | None:
        if target.encrypted_key is None:
            _refuse_without_key(KINDS[target.kind], target)
            return None
        return self._plain(target.encrypted_key)

    def _plain(self, encrypted_key: str) -> str:
        try:
            return self._vault.decrypt(encrypted_key)
        except Undecipherable as error:
            raise KeyUnreadable(
                "The stored key can no longer be read.",
                "An administrator can replace it under Administration → Connections; what it was encrypted with is gone.",
            ) from error


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[OpenProviders]:
    """Providers for as long as a command runs; the server keeps its own."""
    providers = OpenProviders(open_vault(settings), settings)
    try:
        yield providers
    finally:
        await providers.close()


def _refuse_without_key(kind: Kind, target: Target) -> None:
    if kind.needs_key:
        raise KeyMissing(
            f"There is no key for {target.label}.",
            "An administrator can enter one under Administration → Connections.",
        )


def _timeouts(settings: Settings) -> Timeouts:
    return Timeouts(
        connect=settings.provider_connect_timeout,
        first_token=settings.provider_first_token_timeout,
        idle=settings.provider_idle_timeout,
    )
