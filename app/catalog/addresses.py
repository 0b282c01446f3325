"""Base URLs as people paste them, brought to the one form that is stored.

Loopback and private addresses are welcome, since models run there; the addresses where clouds hand out
their machines' credentials are not. (What a name resolves to is checked again with each connection made.)
"""

import unicodedata
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

from app.core.errors import Invalid
from app.providers.registry import Kind
from app.providers.wire.addresses import is_forbidden

LONGEST = 300
LONGEST_LABEL = 63  # RFC 1035, 2.3.4
PATHS_OF_CALLS = (
    "/chat/completions",
    "/completions",
    "/responses",
    "/embeddings",
    "/messages",
    "/models",
    "/api/chat",
    "/api/generate",
    "/api/tags",
)
VERSION = "/v1"
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})


@dataclass(frozen=True)
class Address:
    """A base URL without trailing slash. `is_trimmed`: the path of a single call was left off."""

    url: str
    is_trimmed: bool = False


def normalised(kind: Kind, given: str) -> Address:
    """`given`, or the kind's own address when it is empty. Raises Invalid with the remedy."""
    text = given.strip()
    if not text or not kind.takes_base_url:
        return _default_of(kind)
    if len(text) > LONGEST:
        raise _wrong(f"The address is longer than {LONGEST} characters.")
    parts = _split(text if "://" in text else f"http://{text}")
    _refuse_what_cannot_be_called(parts)
    path = _base_path(kind, parts.path.rstrip("/"))
    url = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
    return Address(url, is_trimmed=path != parts.path.rstrip("/"))


def is_on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _default_of(kind: Kind) -> Address:
    if not kind.default_base_url and kind.takes_base_url:
        raise _wrong("Enter the address of the server, such as http://10.0.4.12:8080/v1.")
    return Address(kind.default_base_url)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise _wrong("This is not an address. It looks like http://127.0.0.1:11434.") from error
    return parts


def _refuse_what_cannot_be_called(parts: SplitResult) -> None:
    if parts.scheme not in ("http", "https"):
        raise _wrong("The address has to begin with http:// or https://.")
    if not parts.hostname or not _can_be_a_host(parts.hostname):
        raise _wrong("The address names no server. It looks like http://127.0.0.1:11434.")
    if parts.username is not None or parts.password is not None:
        raise _wrong(
            "Leave user name and password out of the address; a key belongs into the field for keys."
        )
    if parts.query or parts.fragment:
        raise _wrong("Leave out what follows “?” or “#”; a key belongs into the field for keys.")
    if _is_for_metadata(parts.hostname):
        raise _wrong("This address belongs to a cloud's metadata service, where no model answers.")


def _can_be_a_host(host: str) -> bool:
    """Whether a machine can be called so: by words of any script, or an IPv6 address."""
    if ":" in host:
        return not any(character.isspace() for character in host)
    labels = host.removesuffix(".").split(".")
    return all(0 < len(label) <= LONGEST_LABEL and _is_plain(label) for label in labels)


def _is_plain(label: str) -> bool:
    # Letters, digits, and the marks without which many scripts write no word.
    return all(unicodedata.category(character)[0] in "LMN" or character in "-_" for character in label)


def _is_for_metadata(host: str) -> bool:
    if host.rstrip(".") in METADATA_NAMES:
        return True
    try:
        return is_forbidden(host.partition("%")[0])
    except ValueError:
        return False


def _base_path(kind: Kind, path: str) -> str:
    for ending in PATHS_OF_CALLS:
        if path.endswith(ending):
            path = path.removesuffix(ending)
            break
    # Some adapters add the version themselves; whether this one does shows in its own address.
    if kind.default_base_url and not kind.default_base_url.endswith(VERSION):
        path = path.removesuffix(VERSION)
    return path.rstrip("/")


def _wrong(message: str) -> Invalid:
    return Invalid(message, field="base_url")
