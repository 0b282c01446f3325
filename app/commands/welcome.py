"""What the console says when Parley starts: where it is, and what to do next."""

import asyncio
import ipaddress

from sqlalchemy import select

from app.accounts import first_run
from app.accounts.models import User
from app.core.database import Database
from app.core.settings import Settings
from app.core.version import VERSION


def welcome(settings: Settings, port: int) -> str:
    """The lines to print before serving on `port`."""
    address = address_to_open(settings, port)
    lines = [f"Parley {VERSION} is at {address}"]
    if asyncio.run(_has_nobody(settings)):
        lines.append(f"Next: open {address}/setup and create the administrator's account.")
        lines.append(f"From another machine it asks for this one-time code: {first_run.code(settings)}")
    lines.append("Stop it with Ctrl+C.")
    return "\n".join(lines)


def address_to_open(settings: Settings, port: int) -> str:
    """Where a browser on this machine finds Parley, unless a public address is set."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host and not host.startswith("[") else f"http://{host}:{port}"


def is_for_this_machine_only(settings: Settings) -> bool:
    """Whether nobody but people on this machine can reach the address that is listened on."""
    try:
        return ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        return settings.host == "localhost"


async def _has_nobody(settings: Settings) -> bool:
    database = Database(settings.resolved_database_url)
    try:
        async with database.reading() as session:
            return (await session.execute(select(User.id).limit(1))).first() is None
    finally:
        await database.close()
