"""How a command works on the installation: settings, secrets and database as the server has them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import OperationalError

from app.accounts.house import House
from app.commands.database import explained, why_not_opened
from app.commands.settings import read_settings, stop
from app.core import migrations
from app.core.crypto import load_secrets
from app.core.database import Database
from app.core.errors import ParleyError
from app.core.settings import Settings
from app.live.hub import Hub

Answer = TypeVar("Answer")


def at_work(work: Callable[[House], Awaitable[Answer]]) -> Answer:
    """What `work` answers; a Parley error ends the command with its sentence.

    A database that is new or old is brought up to date first, so that accounts can be made before the
    server's first start.
    """
    settings = read_settings()
    with explained():
        migrations.upgrade(settings)
        signing_key = load_secrets(settings).signing_key
    try:
        return asyncio.run(_in_house(settings, signing_key, work))
    except ParleyError as error:
        stop(str(error))
    except OperationalError as error:
        stop(why_not_opened(error))


async def _in_house(
    settings: Settings, signing_key: str, work: Callable[[House], Awaitable[Answer]]
) -> Answer:
    database = Database(settings.resolved_database_url)
    # Nobody listens to this hub: a running server looks at the rows with each request and each open stream.
    house = House(database, Hub(), settings, signing_key)
    try:
        return await work(house)
    finally:
        await database.close()
