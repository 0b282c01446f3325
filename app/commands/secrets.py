"""`parley secrets rotate`: a new encryption key for everything that is encrypted at rest.

The order makes an interruption harmless: first the new key is added, then everything is encrypted with it
in one transaction, and only when nothing needs the old keys any more are they thrown away.
"""

from typing import TYPE_CHECKING

import typer

from app.commands.settings import stop

if TYPE_CHECKING:
    from app.accounts.house import House

group = typer.Typer(no_args_is_help=True, help="The keys that encrypt secrets at rest.")

ONE_KEY_IN_ENVIRONMENT = (
    "ENCRYPTION_KEYS comes from the environment, so only you can change it. Put a new key in front of the old one, "
    "separated by a comma, restart Parley, and run this command again. Make a key with:\n"
    'python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
)


@group.callback()
def about() -> None:
    """The keys that encrypt secrets at rest."""


@group.command()
def rotate() -> None:
    """Make a new encryption key, encrypt everything with it, then throw the old ones away."""
    from app.commands.working import at_work

    typer.echo(at_work(_rotate))


async def _rotate(house: "House") -> str:
    from app.core.crypto import add_encryption_key, retire_old_encryption_keys

    data_dir = house.settings.data_dir
    if house.settings.encryption_keys:
        return await _rotate_to_first_of(house, house.settings.encryption_keys)
    keys = add_encryption_key(data_dir)
    count = await _reencrypt(house, keys)
    if not await _all_readable_with(house, keys[:1]):
        stop("A key was stored while this ran. Nothing is lost; run the command once more.")
    retire_old_encryption_keys(data_dir)
    return f"Encrypted {count} keys anew. Copies of the database made before now need the old key file."


async def _all_readable_with(house: "House", keys: tuple[str, ...]) -> bool:
    from app.catalog.rotation import all_readable
    from app.core.crypto import Vault

    async with house.database.reading() as session:
        return await all_readable(session, Vault(keys))


async def _rotate_to_first_of(house: "House", keys: tuple[str, ...]) -> str:
    if len(keys) == 1:
        stop(ONE_KEY_IN_ENVIRONMENT)
    count = await _reencrypt(house, keys)
    return f"Encrypted {count} keys with the first of ENCRYPTION_KEYS. You can take the others away now."


async def _reencrypt(house: "House", keys: tuple[str, ...]) -> int:
    from app.accounts import audit
    from app.catalog.rotation import reencrypt
    from app.core.crypto import Undecipherable, Vault

    async with house.database.writing() as session:
        try:
            count = await reencrypt(session, Vault(keys))
        except Undecipherable as error:
            stop(str(error))
        audit.record(session, audit.Act(audit.COMMAND_LINE), "secrets.rotated", detail=f"{count} keys")
        return count
