"""`parley keys …`: keys for programs, of people and of service accounts."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.settings import stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from app.accounts.api_keys import NewKey
    from app.accounts.house import House
    from app.accounts.models import ApiKey, User
    from app.usage.key_limits import WantedKey

group = typer.Typer(no_args_is_help=True, help="API keys: add, list, change, revoke.")

OfUser = Annotated[
    str, typer.Option("--user", help="Username or e-mail address of its owner.", metavar="NAME")
]
OfService = Annotated[
    str, typer.Option("--service", help="Service account that it belongs to.", metavar="NAME")
]


@group.command()
def add(
    user: OfUser = "",
    service: OfService = "",
    name: Annotated[str, typer.Option(help="What the key is for.")] = "Command line",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="chat, embeddings, usage or admin; repeat it for several. Else the first three."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Keep it to this model or alias; repeat it for several.")
    ] = None,
    address_range: Annotated[
        list[str] | None,
        typer.Option("--range", help="Keep it to these addresses: 192.0.2.7, 192.0.2.0/24, 2001:db8::/32."),
    ] = None,
    expires: Annotated[
        str, typer.Option(help="Days from now (90), the last day (2027-01-31), or never.")
    ] = "never",
    limit: Annotated[
        str, typer.Option(help="US dollars that it may cost in a month.", metavar="AMOUNT")
    ] = "",
    store: Annotated[
        bool, typer.Option("--store", help="Store what is asked with it and answered as conversations.")
    ] = False,
) -> None:
    """Make a key and print it: this is the only time it is shown.

    A service account that does not exist yet is made, without a group.
    """
    from app.accounts.key_rules import rules_from
    from app.commands.working import at_work
    from app.core.clock import now
    from app.usage.currency import USD
    from app.usage.key_forms import limit_from
    from app.usage.key_limits import WantedKey

    async def work(house: "House") -> "NewKey":
        rules = rules_from(
            now(),
            scopes=scope or None,
            models=model or (),
            ranges=address_range or (),
            expires=expires,
            stores_calls=store,
        )
        return await _add(house, user, service, WantedKey(name, rules, limit_from(limit, USD)))

    typer.echo(at_work(work).secret)


@group.command("list")
def list_(user: OfUser = "", service: OfService = "") -> None:
    """List the keys of an account: id, beginning, name, what it may do, last use."""
    from app.accounts.api_keys import in_words, rules_of
    from app.commands.working import at_work

    for key in at_work(lambda house: _keys(house, user, service)):
        used = f"used {key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never used"
        typer.echo(f"{key.id}\t{key.prefix}…\t{key.name}\t{in_words(rules_of(key))}\t{used}")


@group.command()
def change(
    key: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")],
    user: OfUser = "",
    service: OfService = "",
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    store: Annotated[
        bool | None,
        typer.Option("--store/--no-store", help="Whether its calls are stored as conversations from now on."),
    ] = None,
) -> None:
    """Give a key another name, or choose anew whether its calls are stored."""
    from app.commands.working import at_work

    if name is None and store is None:
        stop("Say what is to change: --name, --store or --no-store.")
    changed = at_work(lambda house: _change(house, user, service, key, name, store))
    typer.echo(f"Changed {changed.name} ({changed.prefix}…).")


@group.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")],
    user: OfUser = "",
    service: OfService = "",
) -> None:
    """End a key at once, and what is under way with it."""
    from app.commands.working import at_work

    revoked = at_work(lambda house: _revoke(house, user, service, key))
    typer.echo(f"Revoked {revoked.name} ({revoked.prefix}…).")


async def _add(house: "House", user: str, service: str, wanted: "WantedKey") -> "NewKey":
    from app.accounts import audit
    from app.usage import key_limits

    act = audit.Act(audit.COMMAND_LINE)
    async with house.database.writing() as session:
        owner = await _owner(session, user, service, make=True)
        return await key_limits.make(session, house, owner, act, wanted)


async def _keys(house: "House", user: str, service: str) -> "Sequence[ApiKey]":
    from app.accounts import api_keys

    async with house.database.reading() as session:
        return await api_keys.keys_of(session, (await _owner(session, user, service)).id)


async def _change(
    house: "House", user: str, service: str, key_id: str, name: str | None, store: bool | None
) -> "ApiKey":
    from app.accounts import api_keys, audit

    async with house.database.writing() as session:
        owner = await _owner(session, user, service)
        key = await api_keys.key_of(session, owner, key_id)
        act = audit.Act(audit.COMMAND_LINE)
        await api_keys.change(session, owner, key, act, name=name, stores_calls=store)
        return key


async def _revoke(house: "House", user: str, service: str, key_id: str) -> "ApiKey":
    from app.accounts import api_keys, audit

    async with house.database.writing() as session:
        owner = await _owner(session, user, service)
        return await api_keys.revoke(session, owner, key_id, audit.Act(audit.COMMAND_LINE))


async def _owner(session: "AsyncSession", user: str, service: str, *, make: bool = False) -> "User":
    """The one account that was named; a service account is made where `make` says so. Raises NotFound."""
    from app.accounts import audit, people, service_accounts
    from app.core.errors import NotFound

    if bool(user) == bool(service):
        stop("Say whose key it is: --user NAME or --service NAME.")
    if user:
        return await people.by_name(session, user)
    try:
        return await service_accounts.by_name(session, service)
    except NotFound:
        if not make:
            raise
        return await service_accounts.create(session, service, audit.Act(audit.COMMAND_LINE))
