"""The one place for HTTP: everything that leaves for a provider goes through a `Wire`.

Two clients share one pool of connections. Whole JSON documents (lists of models, answers that are not
streamed) are fetched with httpx, which is pleasant. Streams read aiohttp directly: with a hundred of them
at once, httpx was measured to add more than half a second to the first token, aiohttp some 20 ms.
Nothing outside this package knows either of them.
"""

from app.providers.wire.client import Wire
from app.providers.wire.decoding import Decoder, JsonLines, ServerSentEvents
from app.providers.wire.pool import close
from app.providers.wire.retrying import asked_patiently, whole_with_retries, with_retries
from app.providers.wire.streams import Pace

__all__ = [
    "Decoder",
    "JsonLines",
    "Pace",
    "ServerSentEvents",
    "Wire",
    "asked_patiently",
    "close",
    "whole_with_retries",
    "with_retries",
]
