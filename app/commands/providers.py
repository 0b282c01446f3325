"""`parley providers …`: connections to where models live. A running server uses every change at once."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.settings import stop

if TYPE_CHECKING:
    from app.accounts.house import House
    from app.catalog.connections import WantedConnection
    from app.catalog.discovery import Answer
    from app.catalog.overview import Card

group = typer.Typer(no_args_is_help=True, help="Connections to providers: add, list, test, remove.")

Name = Annotated[str, typer.Argument(help="Name of the connection.", metavar="NAME")]


@group.command()
def add(
    name: Annotated[str, typer.Argument(help="What people see, such as “OpenAI”.", metavar="NAME")],
    kind: Annotated[
        str,
        typer.Option(help="ollama, openai, anthropic, groq, lmstudio, openai-compatible or echo."),
    ],
    base_url: Annotated[str, typer.Option(help="Address of the server; the vendor's own unless given.")] = "",
    key_stdin: Annotated[bool, typer.Option("--key-stdin", help="Read the key from standard input.")] = False,
    enable_all_models: Annotated[
        bool, typer.Option("--enable-all-models", help="Tick every model, not only the sensible ones.")
    ] = False,
) -> None:
    """Connect a provider and ask it for its models."""
    from app.catalog.connections import WantedConnection
    from app.commands.working import at_work

    wanted = WantedConnection(kind, name, base_url, _read_key() if key_stdin else "")
    connection, answer = at_work(lambda house: _add(house, wanted, enable_all_models))
    if answer.error is not None:
        stop(f"Added {connection}, but it cannot be used yet. {answer.error}")
    typer.echo(f"Added {connection} with {len(answer.models)} models.")


@group.command("list")
def list_() -> None:
    """List all connections: name, kind, address, ticked and known models, state."""
    from app.commands.working import at_work

    for card in at_work(_cards):
        connection = card.connection
        count = f"{card.ticked}/{card.total}"
        cells = (connection.name, card.kind.name, connection.base_url or "-", count, card.state.word)
        typer.echo("\t".join(cells))


@group.command()
def test(name: Name) -> None:
    """Ask a connection for its models; exit code 1, with cause and remedy, when it fails."""
    from app.commands.working import at_work

    answer = at_work(lambda house: _test(house, name))
    if answer.error is not None:
        stop(str(answer.error))
    typer.echo(f"{answer.label} answered in {answer.ms} ms with {len(answer.models)} models.")


@group.command()
def remove(name: Name) -> None:
    """Remove a connection with its key and its models; conversations stay."""
    from app.commands.working import at_work

    typer.echo(f"Removed {at_work(lambda house: _remove(house, name))}.")


def _read_key() -> str:
    key = sys.stdin.readline().strip()
    if not key:
        stop("Standard input held no key.")
    return key


async def _add(house: "House", wanted: "WantedConnection", enable_all: bool) -> "tuple[str, Answer]":
    from app.accounts import audit
    from app.catalog import connections, discovery
    from app.catalog.opening import opened
    from app.catalog.selection import tick_all
    from app.core.crypto import open_vault

    act = audit.Act(audit.COMMAND_LINE)
    async with house.database.writing() as session:
        await connections.refuse_taken(session, wanted)
        connection, _ = await connections.add(session, open_vault(house.settings), wanted, act)
    async with opened(house.settings) as providers:
        answer = await discovery.refresh(house.database, providers, connection.id)
    if enable_all:
        async with house.database.writing() as session:
            await tick_all(session, connection, True, act)
    return connection.name, answer


async def _cards(house: "House") -> "list[Card]":
    from app.catalog import overview

    async with house.database.reading() as session:
        return await overview.cards(session)


async def _test(house: "House", name: str) -> "Answer":
    from app.catalog import connections, discovery
    from app.catalog.opening import opened

    async with house.database.reading() as session:
        connection = await connections.by_name(session, name)
    async with opened(house.settings) as providers:
        return await discovery.test(house.database, providers, connection.id)


async def _remove(house: "House", name: str) -> str:
    from app.accounts import audit
    from app.catalog import connections

    async with house.database.writing() as session:
        connection = await connections.by_name(session, name)
        await connections.remove(session, connection, audit.Act(audit.COMMAND_LINE))
    return connection.name
