"""Who calls, and what this credential may do: values that every door understands, and how one is refused.

A browser's session may do all that its person may. A key may do what its owner may and its rules allow.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from app.accounts import api_keys, sessions
from app.accounts.key_rules import EVERYTHING, Scope
from app.accounts.models import ApiKey, User
from app.core.errors import Forbidden, NotSignedIn

MAKE_ANOTHER = "Make another one under Settings → API keys."


class KeyUnknown(NotSignedIn):
    code: ClassVar[str] = "invalid_api_key"
    title: ClassVar[str] = "This key is not known"


class KeyExpired(NotSignedIn):
    code: ClassVar[str] = "key_expired"
    title: ClassVar[str] = "This key has expired"


class KeyRevoked(NotSignedIn):
    code: ClassVar[str] = "key_revoked"
    title: ClassVar[str] = "This key is revoked"


class AccountDisabled(NotSignedIn):
    """Told only to whoever holds a key of the account."""

    code: ClassVar[str] = "account_disabled"
    title: ClassVar[str] = "This account is disabled"


class ScopeMissing(Forbidden):
    code: ClassVar[str] = "scope_missing"


class AddressNotAllowed(Forbidden):
    code: ClassVar[str] = "address_not_allowed"


class ModelNotAllowed(Forbidden):
    code: ClassVar[str] = "model_not_allowed"


@dataclass(frozen=True)
class Caller:
    """Who calls, as plain values. `api_key_id` None: a browser."""

    user_id: str
    username: str
    name: str
    is_administrator: bool
    """Whether this credential may administer: a key needs the scope, too."""
    api_key_id: str | None = None
    scopes: frozenset[Scope] = EVERYTHING
    allowed_models: frozenset[str] = frozenset()
    """Full names or aliases; empty: every model that the person may use."""
    stores_calls: bool = False
    """Whether its calls become conversations where they do not say."""
    is_service: bool = False
    ends_at: datetime | None = None
    """When the key expires."""

    # Of a key that is known from memory, every call asks.
    @cached_property
    def streams(self) -> tuple[str, ...]:
        """Streams of the hub that say `signed_out` when this caller must go."""
        of_key = (stream_of_key(self.api_key_id),) if self.api_key_id else ()
        return (sessions.stream_of_user(self.user_id), *of_key)

    def require(self, scope: Scope) -> None:
        """Raises ScopeMissing."""
        if scope not in self.scopes:
            raise ScopeMissing(f"This needs a key with the scope “{scope}”. {MAKE_ANOTHER}")

    def may_use(self, model: str) -> bool:
        """Whether the credential allows a model, by the name it is asked for; whether the person may use it is
        for the catalog to say."""
        return not self.allowed_models or model in self.allowed_models

    def require_model(self, *names: str) -> None:
        """Raises ModelNotAllowed unless one of these names of a model is allowed, such as an alias or what it stands for."""
        if not any(map(self.may_use, names)):
            raise ModelNotAllowed(
                f"This key may not be used for {names[0][:100] or 'a model that is not named'}. It is kept to "
                f"{', '.join(sorted(self.allowed_models)[:5])}. {MAKE_ANOTHER}"
            )


def caller_in_browser(user: User) -> Caller:
    scopes = EVERYTHING if user.is_administrator else EVERYTHING - {Scope.ADMIN}
    return Caller(user.id, user.username, user.name, user.is_administrator, scopes=scopes)


def caller_with_key(user: User, key: ApiKey) -> Caller:
    rules = api_keys.rules_of(key)
    # Whoever is an administrator no more has keys that administer no more.
    scopes = rules.scopes if user.is_administrator else rules.scopes - {Scope.ADMIN}
    is_administrator = Scope.ADMIN in scopes
    return Caller(
        user.id,
        user.username,
        user.name,
        is_administrator,
        key.id,
        scopes,
        rules.models,
        rules.stores_calls,
        user.is_service,
        key.expires_at,
    )


def stream_of_key(key_id: str) -> str:
    """The hub's stream that tells when this key is revoked."""
    return f"key:{key_id}"
