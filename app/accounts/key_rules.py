"""What a key may do: its scopes, its models, from where, and until when. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from app.core.errors import Invalid

Range = IPv4Network | IPv6Network


class Scope(StrEnum):
    """What a key is for."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"
    USAGE = "usage"
    ADMIN = "admin"


WHAT = {
    Scope.CHAT: "Conversations and answers",
    Scope.EMBEDDINGS: "Embeddings",
    Scope.USAGE: "Read usage and costs",
    Scope.ADMIN: "Administration, for keys of administrators",
}
USUAL = frozenset({Scope.CHAT, Scope.EMBEDDINGS, Scope.USAGE})
EVERYTHING = frozenset(Scope)
LONGEST_LIFE = timedelta(days=3650)
LONGEST_MODEL_NAME = 300
MOST_MODELS = 200
MOST_RANGES = 50


@dataclass(frozen=True)
class Rules:
    """Without models it may use every one that its owner may use; without ranges it works from anywhere.

    `stores_calls`: what is asked with it and answered is stored as conversations of its owner, unless a call says no.
    """

    scopes: frozenset[Scope] = USUAL
    models: frozenset[str] = frozenset()
    ranges: tuple[Range, ...] = ()
    expires_at: datetime | None = None
    stores_calls: bool = False

    def admits(self, address: str) -> bool:
        """Whether the key may be used from this address; from an unknown one only when it may from anywhere."""
        return not self.ranges or is_within(address, self.ranges)


def rules_from(
    at: datetime,
    *,
    scopes: Iterable[str] | None = None,
    models: Iterable[str] = (),
    ranges: Iterable[str] = (),
    expires: str = "",
    stores_calls: bool = False,
) -> Rules:
    """Rules as somebody typed them; without `scopes` the usual ones. Raises Invalid, naming the field."""
    return Rules(
        USUAL if scopes is None else scopes_from(scopes),
        models_from(models),
        ranges_from(ranges),
        expiry_from(expires, at),
        stores_calls,
    )


def scopes_from(names: Iterable[str]) -> frozenset[Scope]:
    """Raises Invalid."""
    wanted = {name.strip().lower() for name in names} - {""}
    if unknown := wanted - EVERYTHING:
        raise Invalid(
            f"There is no scope “{min(unknown)[:40]}”. Choose of {', '.join(Scope)}.", field="scopes"
        )
    if not wanted:
        raise Invalid("Choose at least one thing that the key may be used for.", field="scopes")
    return frozenset(Scope(name) for name in wanted)


def models_from(names: Iterable[str]) -> frozenset[str]:
    """Full names or aliases of models. Raises Invalid."""
    models = frozenset(name.strip() for name in names) - {""}
    if len(models) > MOST_MODELS:
        raise Invalid(f"A key can be kept to at most {MOST_MODELS} models.", field="models")
    if any(len(name) > LONGEST_MODEL_NAME or not name.isprintable() for name in models):
        raise Invalid("Name models as they are listed, such as openai/gpt-5.", field="models")
    return models


def ranges_from(texts: Iterable[str]) -> tuple[Range, ...]:
    """Addresses and ranges of them, `192.0.2.7` or `2001:db8::/32`. Raises Invalid."""
    found = [_range(text) for text in texts if text.strip()]
    if len(found) > MOST_RANGES:
        raise Invalid(f"A key can be kept to at most {MOST_RANGES} ranges of addresses.", field="ranges")
    return tuple(dict.fromkeys(found))


def expiry_from(typed: str, at: datetime) -> datetime | None:
    """When a key ends: `30` or `30d` days from now, `2027-01-31` (with that day), `never` or nothing. Raises Invalid."""
    typed = typed.strip().lower()
    if typed in ("", "never"):
        return None
    end = _end_after(typed, at)
    if not at < end <= at + LONGEST_LIFE + timedelta(days=1):
        raise Invalid("A key ends between today and ten years from now, or never.", field="expires")
    return end


def is_within(address: str, ranges: Iterable[Range]) -> bool:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    # A socket that listens on IPv6 shows IPv4 callers as ::ffff:192.0.2.7.
    plain = (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
    return any(plain in allowed for allowed in ranges)


def _range(text: str) -> Range:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise Invalid(
            f"“{text.strip()[:50]}” is no address. Write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32.",
            field="ranges",
        ) from None


def _end_after(typed: str, at: datetime) -> datetime:
    if days := re.fullmatch(r"(\d{1,4})\s*d?(ays)?", typed):
        return at + timedelta(days=int(days[1]))
    try:
        last_day = date.fromisoformat(typed)
        return datetime.combine(last_day + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            "Write in how many days the key ends, or a date such as 2027-01-31.", field="expires"
        ) from None
