"""`parley models …`: which models people may use. A running server uses every change at once."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.settings import stop

if TYPE_CHECKING:
    from app.accounts.house import House
    from app.catalog.discovery import Answer
    from app.catalog.overview import Group

group = typer.Typer(no_args_is_help=True, help="Models: refresh, enable, disable, restrict, open, list.")

Names = Annotated[
    list[str],
    typer.Argument(help="connection/model, or connection/* for all of them.", metavar="MODEL..."),
]
ALL = "*"
Restricted = Annotated[
    list[str],
    typer.Argument(
        help="connection/model, or connection/* for the connection and whatever it offers.",
        metavar="MODEL...",
    ),
]


@group.command()
def refresh(
    connection: Annotated[str, typer.Argument(help="Only this connection.", metavar="[CONNECTION]")] = "",
) -> None:
    """Ask providers for their lists of models; exit code 1 when one fails, whose old list is kept."""
    from app.commands.working import at_work

    answers = at_work(lambda house: _refresh(house, connection))
    for answer in answers:
        if answer.error is None:
            typer.echo(f"{answer.label}: {len(answer.models)} models.")
    failures = [f"{answer.label}: {answer.error}" for answer in answers if answer.error is not None]
    if failures:
        stop("\n".join(failures))


@group.command()
def enable(names: Names) -> None:
    """Open models to people."""
    _tick(names, True)


@group.command()
def disable(names: Names) -> None:
    """Close models to people."""
    _tick(names, False)


@group.command()
def restrict(
    names: Restricted,
    groups: Annotated[list[str], typer.Option("--group", help="Who may use them; give it again for more.")],
) -> None:
    """Keep models to groups. Connection and model must both allow it; administrators may use everything."""
    from app.commands.working import at_work

    at_work(lambda house: _restrict(house, names, groups))
    typer.echo(f"Kept {', '.join(names)} to {', '.join(groups)}.")


@group.command("open")
def open_(names: Restricted) -> None:
    """Let everyone use models that were kept to groups."""
    from app.commands.working import at_work

    at_work(lambda house: _restrict(house, names, []))
    typer.echo(f"Opened {', '.join(names)} to everyone.")


@group.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are not ticked.")] = False,
) -> None:
    """List models: full name, context window in tokens, state."""
    from app.commands.working import at_work

    for found in at_work(_groups):
        for model in found.models:
            if everything or model.is_enabled:
                state = "missing" if model.missing_since else "enabled" if model.is_enabled else "disabled"
                full_name = f"{found.card.connection.name}/{model.name}"
                typer.echo(f"{full_name}\t{model.context_window or '-'}\t{state}")


def _tick(names: list[str], is_enabled: bool) -> None:
    from app.commands.working import at_work

    changed = at_work(lambda house: _select(house, names, is_enabled))
    number = "1 model" if changed == 1 else f"{changed} models"
    typer.echo(f"{'Enabled' if is_enabled else 'Disabled'} {number}.")


async def _refresh(house: "House", name: str) -> "list[Answer]":
    from app.catalog import connections, discovery, overview
    from app.catalog.opening import opened

    async with house.database.reading() as session:
        if name:
            wanted = [await connections.by_name(session, name)]
        else:
            cards = await overview.cards(session)
            wanted = [card.connection for card in cards if card.connection.is_active]
    async with opened(house.settings) as providers:
        return [await discovery.refresh(house.database, providers, connection.id) for connection in wanted]


async def _select(house: "House", names: list[str], is_enabled: bool) -> int:
    from app.accounts import audit
    from app.catalog import connections, selection

    act = audit.Act(audit.COMMAND_LINE)
    changed = 0
    async with house.database.writing() as session:
        for full_name in names:
            connection_name, _, name = full_name.partition("/")
            connection = await connections.by_name(session, connection_name)
            if name == ALL:
                changed += await selection.tick_all(session, connection, is_enabled, act)
            else:
                await selection.by_name(session, connection, name)
                changed += await selection.tick(session, connection, {name}, is_enabled, act)
    return changed


async def _restrict(house: "House", names: list[str], group_names: list[str]) -> None:
    """Keep what is named to these groups; without any, open it to everyone."""
    from app.accounts import audit, groups
    from app.catalog import connections, restrictions, selection

    act = audit.Act(audit.COMMAND_LINE)
    async with house.database.writing() as session:
        group_ids = [(await groups.by_name(session, name)).id for name in group_names]
        for full_name in names:
            connection_name, _, name = full_name.partition("/")
            connection = await connections.by_name(session, connection_name)
            thing = connection if name == ALL else await selection.by_name(session, connection, name)
            if group_ids:
                await restrictions.restrict(session, thing, group_ids, act)
            else:
                await restrictions.open_to_everyone(session, thing, act)


async def _groups(house: "House") -> "list[Group]":
    from app.catalog import overview

    async with house.database.reading() as session:
        return await overview.groups(session)
