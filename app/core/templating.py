"""Templates: pages, fragments of pages, and the few filters they share.

Every page and fragment goes through `page` or `render`, so that each sees the same names: `viewer` (who is
signed in, or None), `workspace`, `settings`, `timezone`, `asset(...)` and what the route passes in.
"""

import gzip
from datetime import datetime
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.core.assets import asset
from app.core.clock import now
from app.core.errors import ParleyError
from app.core.ids import new_id
from app.core.settings import ROOT

SMALLEST_COMPRESSED = 1_400
"""Bytes; what fits into one packet gains nothing."""

BYTES = (("GB", 10**9), ("MB", 10**6))

environment = Environment(
    loader=FileSystemLoader(ROOT / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
environment.globals |= {"asset": asset, "new_id": new_id, "now": now}


def page(
    request: Request,
    template: str,
    *,
    status: int | None = None,
    error: ParleyError | None = None,
    **context: Any,
) -> HTMLResponse:
    """A whole page, or any other single template as the answer to `request`; with the status of what it tells."""
    status = status or (error.status if error else 200)
    return _html_response(request, render(request, template, error=error, **context), status)


def render(request: Request, template: str, **context: Any) -> str:
    """The template's text, with what every template may rely on."""
    shared = {
        "request": request,
        "viewer": getattr(request.state, "viewer", None),
        "workspace": request.app.state.workspace,
        "settings": request.app.state.settings,
        "timezone": timezone_of(request),
    }
    return environment.get_template(template).render(shared | context)


def _html_response(request: Request, html: str, status: int) -> HTMLResponse:
    """Compressed here, where the whole is known, and not by a layer around everything: streams must not wait."""
    body = html.encode()
    # No cache keeps what people talk about: after logging out, Back shows nothing.
    headers = {"vary": "accept-encoding", "cache-control": "no-store"}
    if len(body) >= SMALLEST_COMPRESSED and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=4, mtime=0)
        headers["content-encoding"] = "gzip"
    return HTMLResponse(body, status_code=status, headers=headers)


def timezone_of(request: Request) -> str:
    """The reader's time zone: what the browser told in a cookie, else what the account says."""
    viewer = getattr(request.state, "viewer", None)
    return request.cookies.get("timezone") or (viewer.timezone if viewer else "UTC")


def local_time(moment: datetime, timezone: str = "UTC") -> datetime:
    """`moment` on the reader's clock; an unknown zone counts as UTC."""
    try:
        return moment.astimezone(ZoneInfo(timezone))
    except (ZoneInfoNotFoundError, ValueError):
        return moment.astimezone(ZoneInfo("UTC"))


def thousands(number: int) -> str:
    """12345 → `12,345`."""
    return f"{number:,}"


def compact(number: int) -> str:
    """18200 → `18.2k`, 2000000 → `2M`: for gauges, where room is short."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f}".removesuffix(".0") + unit
    return str(number)


def window(tokens: int) -> str:
    """131072 → `128k`, 200000 → `200k`: windows in powers of two are called by their binary names."""
    return compact(tokens // 1024 * 1000) if tokens % 1024 == 0 else compact(tokens)


def size(count: int) -> str:
    """Bytes as people read them: 6654289920 → `6.7 GB`, 340000 → `340 KB`."""
    unit, divisor = next(((unit, size) for unit, size in BYTES if count >= size), ("KB", 1_000))
    return f"{count / divisor:.1f} {unit}" if divisor >= 10**9 else f"{count / divisor:.0f} {unit}"


def hue_of(name: str) -> int:
    """A hue from 1 to 6 that stays with a person: `hue_of(user.id)`."""
    return crc32(name.encode()) % 6 + 1


def ago(moment: datetime) -> str:
    """How long it has been, roughly: `just now`, `2 minutes ago`, `3 hours ago`, `5 days ago`."""
    seconds = max(0, int((now() - moment).total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


environment.filters |= {
    "ago": ago,
    "local_time": local_time,
    "thousands": thousands,
    "compact": compact,
    "hue": hue_of,
    "size": size,
    "window": window,
}
