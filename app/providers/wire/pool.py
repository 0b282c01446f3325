"""The process's connections to providers: one pool, opened on first use, closed once at the end."""

import asyncio
import errno
import socket
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any

import aiohttp
import certifi

from app.providers.wire.addresses import is_forbidden

FORBIDDEN_ADDRESS = "forbidden address"
KEEP_ALIVE_SECONDS = 75
DNS_CACHE_SECONDS = 300


@dataclass(frozen=True)
class Pool:
    loop: asyncio.AbstractEventLoop
    session: aiohttp.ClientSession


_pool: Pool | None = None


def connections() -> Pool:
    """The pool of the running event loop."""
    global _pool
    loop = asyncio.get_running_loop()
    if _pool is None or _pool.loop is not loop or _pool.session.closed:
        _pool = Pool(loop, _open_session(_trusted_authorities()))
    return _pool


async def close() -> None:
    """Hang up. To be awaited once, when the process stops; a later call of a provider opens a new pool."""
    global _pool
    pool, _pool = _pool, None
    if pool is not None and pool.loop is asyncio.get_running_loop():
        await pool.session.close()


@cache
def _trusted_authorities() -> ssl.SSLContext:
    """The bundle that httpx brings, for machines without one, and the system's, for companies with their own."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


def _open_session(trust: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        ssl=trust,
        limit=0,  # the default of 100 would let the 101st reply wait for another one to finish
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        ttl_dns_cache=DNS_CACHE_SECONDS,
        socket_factory=_guarded_socket,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None),  # the default of 300 s would cut long answers
        # One provider's cookies must not travel with another connection's requests.
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "Parley"},
    )


def _guarded_socket(address_info: tuple[Any, ...]) -> socket.socket:
    """A socket for an address about to be connected to, unless it is one that no provider may have.

    Checked on the resolved address and at the last moment: a host name that resolves differently the
    second time gains nothing.
    """
    family, kind, protocol, _, address = address_info
    if is_forbidden(str(address[0])):
        raise OSError(errno.EACCES, FORBIDDEN_ADDRESS)
    return socket.socket(family=family, type=kind, proto=protocol)
