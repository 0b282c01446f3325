"""Browsers in which somebody has logged in before, by a mark that only we can make.

The mark opens nothing. It lets whoever has logged in here try a password while strangers who guess at the
same account have to wait.
"""

import hmac
import secrets

from app.core.crypto import keyed_hash


def new_mark(signing_key: str, user_id: str) -> str:
    """What a browser keeps, once somebody has logged in to this account there."""
    name = secrets.token_urlsafe(12)
    return f"{name}.{_signature(signing_key, user_id, name)}"


def is_known(signing_key: str, user_id: str, mark: str) -> bool:
    """Whether we made this mark for this account."""
    name, _, signature = mark.partition(".")
    return hmac.compare_digest(signature.encode(), _signature(signing_key, user_id, name).encode())


def _signature(signing_key: str, user_id: str, name: str) -> str:
    return keyed_hash(signing_key, f"known browser:{user_id}:{name}")
