"""The short way for calls that come by the thousand: to their surface without a look at all other doors.

The same calls have doors like all others, for /docs; this only goes ahead of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.providers.passage import Dialect
from app.v1.conversing import Conversing
from app.v1.surface import Surface


@dataclass(frozen=True)
class Stop:
    """What is answered at one address. `path` is for the log, like a route's."""

    path: str
    surface: Surface
    dialect: Dialect | None = None


class Express:
    """ASGI: answers POST at these stops, and lets everything else through."""

    def __init__(self, app: ASGIApp, stops: Mapping[str, Stop]) -> None:
        self._app = app
        self._stops = stops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stop = (
            self._stops.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        )
        if stop is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = stop
        request = Request(scope, receive)
        await Conversing(request, stop.surface, stop.dialect)(scope, receive, send)


def stops(*all_stops: Stop) -> dict[str, Stop]:
    return {stop.path: stop for stop in all_stops}
