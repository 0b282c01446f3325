"""What the console says when Parley starts: where it is, and what to do next."""

import asyncio

from app.accounts import first_run, people
from app.core.database import Database
from app.core.settings import Settings
from app.core.version import VERSION


def welcome(settings: Settings, port: int) -> str:
    """The lines to print before serving on `port`."""
    address = address_to_open(settings, port)
    lines = [f"Parley {VERSION} is at {address}"]
    if asyncio.run(_has_nobody(settings)):
        lines += [
            f"Next: open {address}/setup and create the administrator's account.",
            f"      From another machine it asks for this code: {first_run.code(settings)}",
        ]
    lines.append("Stop it with Ctrl+C.")
    return "\n".join(lines)


def address_to_open(settings: Settings, port: int) -> str:
    """Where a browser on this machine finds Parley, unless a public address is set."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _has_nobody(settings: Settings) -> bool:
    database = Database(settings.resolved_database_url)
    try:
        async with database.reading() as session:
            return not await people.anybody(session)
    finally:
        await database.close()
