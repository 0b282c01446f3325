"""`parley keys …`: personal keys for scripts."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.accounts.api_keys import NewKey
    from app.accounts.house import House
    from app.accounts.models import ApiKey

group = typer.Typer(no_args_is_help=True, help="Personal API keys: add, list, revoke.")

Owner = Annotated[str, typer.Option(help="Username or e-mail address of the key's owner.", metavar="NAME")]


@group.command()
def add(
    user: Owner,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "Command line",
    days: Annotated[int | None, typer.Option(help="Days until it expires; else it does not.")] = None,
) -> None:
    """Make a key and print it: this is the only time it is shown."""
    from app.commands.working import at_work

    typer.echo(at_work(lambda house: _add(house, user, name, days)).secret)


@group.command("list")
def list_(user: Owner) -> None:
    """List a person's keys: id, beginning, name, last use, expiry."""
    from app.commands.working import at_work

    for key in at_work(lambda house: _keys(house, user)):
        used = f"used {key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never used"
        expires = f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "no expiry"
        typer.echo(f"{key.id}\t{key.prefix}…\t{key.name}\t{used}\t{expires}")


@group.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")], user: Owner
) -> None:
    """End a key at once."""
    from app.commands.working import at_work

    revoked = at_work(lambda house: _revoke(house, user, key))
    typer.echo(f"Revoked {revoked.name} ({revoked.prefix}…).")


async def _add(house: "House", owner: str, name: str, days: int | None) -> "NewKey":
    from app.accounts import api_keys, audit, people

    act = audit.Act(audit.COMMAND_LINE)
    async with house.database.writing() as session:
        user = await people.by_name(session, owner)
        return await api_keys.create(session, user, house.signing_key, act, name=name, days=days)


async def _keys(house: "House", owner: str) -> "list[ApiKey]":
    from app.accounts import api_keys, people

    async with house.database.reading() as session:
        user = await people.by_name(session, owner)
        return list(await api_keys.keys_of(session, user.id))


async def _revoke(house: "House", owner: str, key_id: str) -> "ApiKey":
    from app.accounts import api_keys, audit, people

    async with house.database.writing() as session:
        user = await people.by_name(session, owner)
        return await api_keys.revoke(session, user, key_id, audit.Act(audit.COMMAND_LINE))
