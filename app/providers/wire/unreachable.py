"""What a failed connection means for a person: refused, no such host, not trusted, lost, too slow."""

import asyncio
import ssl

import aiohttp

from app.providers.errors import BrokenOff, Misaddressed, NotReachable, ProviderError, TimedOut
from app.providers.wire.judging import not_the_protocol
from app.providers.wire.pool import FORBIDDEN_ADDRESS

CHECK_THE_ADDRESS = "Check the address under Administration → Connections."


def error_for(failure: BaseException, label: str, address: str) -> ProviderError:
    """The error for a connection to `address` (host and port) that was never made, or lost before an answer."""
    text = str(failure)
    if FORBIDDEN_ADDRESS in text:
        return Misaddressed(
            f"{address} is an address that Parley does not connect to.",
            "Link-local addresses are closed, because cloud machines hand out their own keys there.",
        )
    if isinstance(failure, aiohttp.InvalidURL | UnicodeError):
        return not_an_address(label)
    if isinstance(failure, aiohttp.ClientConnectorDNSError):
        return Misaddressed(f"{label} cannot be found: there is no host {address}.", CHECK_THE_ADDRESS)
    if isinstance(failure, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError | ssl.SSLError):
        return _not_secure(text, label, address)
    if isinstance(failure, asyncio.TimeoutError):
        return TimedOut(f"{label} did not accept a connection to {address} in time.", CHECK_THE_ADDRESS)
    if isinstance(failure, aiohttp.ClientConnectorError):
        return NotReachable(
            f"{label} cannot be reached: nothing answers at {address}.",
            f"See whether it is running. {CHECK_THE_ADDRESS}",
        )
    if isinstance(failure, aiohttp.ClientResponseError):
        return not_the_protocol(label)
    return NotReachable(f"The connection to {label} was lost before it answered.", "Try again.")


def not_an_address(label: str) -> Misaddressed:
    return Misaddressed(f"The address of {label} is not a web address.", CHECK_THE_ADDRESS)


def _not_secure(text: str, label: str, address: str) -> ProviderError:
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text:
        return Misaddressed(
            f"{label} does not speak https at {address}.", "Try the address with http:// instead."
        )
    return Misaddressed(
        f"The certificate that {label} shows at {address} is not trusted.",
        "Check the address, or add the certificate's authority to this machine.",
    )


def broken_off(label: str) -> BrokenOff:
    """The error for an answer that ended in the middle, or as it began."""
    return BrokenOff(f"{label} broke off before the answer was whole.", "Try again.")
