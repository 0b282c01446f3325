"""Names of connections: short, URL-safe, unique. They are the first half of `connection/model`."""

import re
import unicodedata

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Connection

LONGEST = 40


def slug_of(label: str) -> str:
    """`Workshop GPU (new)` → `workshop-gpu-new`; empty when nothing of it can stand in an address."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].rstrip("-")


async def free_name(session: AsyncSession, label: str) -> str:
    """A name for a new connection: the label's slug, numbered when it is taken."""
    wanted = slug_of(label) or "connection"
    taken = set(await session.scalars(select(Connection.name).where(Connection.name.startswith(wanted))))
    number = 2
    name = wanted
    while name in taken:
        name = f"{wanted}-{number}"
        number += 1
    return name
