"""Whole JSON documents, fetched with httpx over the shared connections."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from app.providers.base import Timeouts
from app.providers.wire.pool import connections

LARGEST_DOCUMENT = 64_000_000
"""Bytes. The largest are embeddings: 2,000 vectors of 1,536 numbers, written out, come close."""


class DocumentTooLarge(Exception):
    """No list of models and no answer is as large."""


@dataclass(frozen=True)
class Document:
    """An answer of any status; `headers` have names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def fetch(
    method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeouts: Timeouts
) -> Document:
    """Raises httpx.HTTPError, httpx.InvalidURL, or DocumentTooLarge."""
    # A client for each call keeps no cookies; it costs little, because the connections are not its own.
    client = httpx.AsyncClient(transport=connections().transport, trust_env=False, follow_redirects=False)
    patience = httpx.Timeout(None, pool=timeouts.connect, connect=timeouts.connect)
    request = client.build_request(method, url, headers=dict(headers), content=content, timeout=patience)
    response = await client.send(request, stream=True)
    try:
        return Document(response.status_code, response.headers, await _bounded(response))
    finally:
        await response.aclose()


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_DOCUMENT:
            raise DocumentTooLarge
    return bytes(body)
