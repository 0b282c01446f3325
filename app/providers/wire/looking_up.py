"""Lists and details, fetched with httpx over the shared connections.

Imported when a provider is first asked for something of the kind: httpx takes three megabytes.
"""

from collections.abc import Mapping

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from app.providers.base import Timeouts
from app.providers.wire import documents
from app.providers.wire.documents import Document, DocumentTooLarge
from app.providers.wire.pool import connections


async def fetch(
    method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeouts: Timeouts
) -> Document:
    """Raises what aiohttp raises, which tells more than httpx, or DocumentTooLarge."""
    try:
        return await _fetched(method, url, headers, content, timeouts)
    except httpx.InvalidURL as error:
        raise aiohttp.InvalidURL(url) from error
    except httpx.HTTPError as error:
        raise error.__cause__ or aiohttp.ClientError(str(error)) from error


async def _fetched(
    method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeouts: Timeouts
) -> Document:
    # A client for each call keeps no cookies; it costs little, because the connections are not its own.
    client = httpx.AsyncClient(
        transport=AiohttpTransport(client=connections().session), trust_env=False, follow_redirects=False
    )
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
        if len(body) > documents.LARGEST_DOCUMENT:
            raise DocumentTooLarge
    return bytes(body)
