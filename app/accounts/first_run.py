"""An installation without accounts: who may create the first one, and only once.

Whoever sits at the machine may; from anywhere else it also takes the code that the console printed. The code
lies in DATA_DIR, so that every worker knows the same one, until the first account exists.
"""

import hmac
import ipaddress
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import attempts, people
from app.accounts.house import House, Visit
from app.accounts.models import Workspace
from app.core.crypto import read_or_create
from app.core.errors import Conflict, Invalid
from app.core.ids import ALPHABET
from app.core.settings import Settings

CODE_FILE = "setup.code"
CODE_LENGTH = 8  # 40 bits, and a few tries
DONE = "Parley is set up already. Log in, or ask an administrator for an invitation."


async def is_pending(house: House) -> bool:
    """Whether the first account is still to be made."""
    async with house.database.reading() as session:
        return not await people.anybody(session)


def code(settings: Settings) -> str:
    """The one-time code, made when first asked for: `K7Q2-M4XD`."""
    return read_or_create(_code_file(settings), _new_code)


def forget_code(settings: Settings) -> None:
    _code_file(settings).unlink(missing_ok=True)


async def check_code(house: House, given: str, visit: Visit) -> None:
    """Raises Invalid for a wrong code, TooMany when there were several."""
    guess = attempts.at_account(house.signing_key, "the first run", visit.address)
    async with house.database.writing() as session:
        await attempts.count(session, guess)
    if not hmac.compare_digest(_bare(given).encode(), _bare(code(house.settings)).encode()):
        raise Invalid(
            "This is not the code that the console printed. Look there for the last one.", field="code"
        )
    async with house.database.writing() as session:
        await attempts.forgive(session, guess)


async def claim(session: AsyncSession) -> None:
    """Make this transaction the one that sets Parley up. Raises Conflict when another was first."""
    # Of two that run at the same time one makes the row, or locks it; the other looks when that is done.
    session.add(await session.get(Workspace, 1, with_for_update=True) or Workspace(id=1))
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(DONE) from error
    if await people.anybody(session):
        raise Conflict(DONE)


def needs_code(settings: Settings, visit: Visit) -> bool:
    """Whether the visitor may be somewhere else than at this machine.

    Address and Host must both be of this machine, and no proxy between: a proxy that keeps the caller's
    address to itself, or a foreign site whose name was pointed here, is not somebody at the machine. Where
    people use a public address there is a proxy, however quiet.
    """
    is_here = _is_loopback(visit.address) and _is_loopback(_host_of(f"//{visit.host}"))
    is_public = bool(settings.public_url) and not _is_loopback(_host_of(settings.public_url))
    return is_public or visit.was_forwarded or not is_here


def _host_of(address: str) -> str:
    """Without its port; empty when there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _code_file(settings: Settings) -> Path:
    return settings.data_dir / CODE_FILE


def _new_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)).upper()
    return f"{letters[:4]}-{letters[4:]}"


def _bare(given: str) -> str:
    return given.strip().replace("-", "").replace(" ", "").lower()
