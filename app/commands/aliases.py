"""`parley aliases …`: names that stand for several models. A running server uses every change at once."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.accounts.house import House

group = typer.Typer(no_args_is_help=True, help="Aliases: names that stand for several models.")

Name = Annotated[str, typer.Argument(help="The alias, such as fast.", metavar="ALIAS")]


@group.command()
def add(
    name: Name,
    models: Annotated[
        list[str],
        typer.Argument(
            help="connection/model, in the order in which they are asked; with --weighted also connection/model=3.",
            metavar="MODEL...",
        ),
    ],
    weighted: Annotated[bool, typer.Option("--weighted", help="Share calls out by weight.")] = False,
    allow_cloud: Annotated[
        bool,
        typer.Option("--allow-cloud", help="Let what a local model cannot answer leave the house."),
    ] = False,
) -> None:
    """Make an alias, or let it stand for other models."""
    from app.commands.working import at_work

    verb = at_work(lambda house: _put(house, name, models, weighted, allow_cloud))
    typer.echo(f"{verb} {name}.")


@group.command("list")
def list_() -> None:
    """List aliases: name, models in their order, `weighted` or `ordered`."""
    from app.commands.working import at_work

    for line in at_work(_lines):
        typer.echo(line)


@group.command()
def remove(name: Name) -> None:
    """Remove an alias; its models stay."""
    from app.commands.working import at_work

    at_work(lambda house: _remove(house, name))
    typer.echo(f"Removed {name}.")


async def _put(house: "House", name: str, models: list[str], weighted: bool, allow_cloud: bool) -> str:
    from app.accounts import audit
    from app.catalog import aliases
    from app.core.errors import NotFound

    act = audit.Act(audit.COMMAND_LINE)
    wanted = aliases.WantedAlias(name, tuple(map(aliases.Share.parse, models)), weighted, allow_cloud)
    async with house.database.writing() as session:
        try:
            known = await aliases.by_name(session, name)
        except NotFound:
            await aliases.add(session, wanted, act)
            return "Made"
        await aliases.change(session, known, wanted, act)
        return "Changed"


async def _lines(house: "House") -> list[str]:
    from app.catalog import aliases

    async with house.database.reading() as session:
        found = await aliases.all_aliases(session)
    return [
        "\t".join(
            (
                alias.name,
                ", ".join(share.text(is_weighted=alias.is_weighted) for share in shares),
                "weighted" if alias.is_weighted else "ordered",
            )
        )
        for alias, shares in found.items()
    ]


async def _remove(house: "House", name: str) -> None:
    from app.accounts import audit
    from app.catalog import aliases

    async with house.database.writing() as session:
        await aliases.remove(session, await aliases.by_name(session, name), audit.Act(audit.COMMAND_LINE))
