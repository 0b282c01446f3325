"""`parley prices …`: what models cost, where the list is wrong or does not know. A running server heeds it at once."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.accounts.house import House
    from app.usage.price_sheet import Tag
    from app.usage.pricing import Rates

group = typer.Typer(no_args_is_help=True, help="Prices of models: set, list, remove.")

FullName = Annotated[str, typer.Argument(help="connection/model.", metavar="MODEL")]


@group.command("set")
def set_(
    model: FullName,
    input_: Annotated[str, typer.Option("--input", help="US dollars for a million tokens.", metavar="USD")],
    output: Annotated[str, typer.Option(help="US dollars for a million tokens.", metavar="USD")],
    cached: Annotated[str, typer.Option(help="For cached input; else like other input.", metavar="USD")] = "",
    cache_write: Annotated[
        str, typer.Option(help="For writing to the cache; else like other input.", metavar="USD")
    ] = "",
    since: Annotated[
        datetime | None,
        typer.Option("--from", help="The day from which it holds; else at once.", formats=["%Y-%m-%d"]),
    ] = None,
) -> None:
    """Give a model a price of its own. What was used before keeps the price that it had."""
    from app.commands.working import at_work

    typed = (input_, output, cached, cache_write)
    rates = at_work(lambda house: _set(house, model, typed, since))
    typer.echo(f"{model}: {rates.text} (US dollars for a million tokens).")


@group.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also models that are not ticked.")] = False,
    missing: Annotated[bool, typer.Option("--missing", help="Only ticked models without a price.")] = False,
) -> None:
    """List models: full name, US dollars for a million tokens, where the price comes from."""
    from app.commands.working import at_work

    for tag in at_work(_sheet):
        if tag.is_missing if missing else everything or tag.model.is_enabled or tag.override:
            price = tag.price.rates.text if tag.price else "no price"
            source = tag.price.source.value if tag.price else "-"
            typer.echo(f"{tag.full_name}\t{price}\t{source}")


@group.command()
def remove(model: FullName) -> None:
    """Take a model's own price away: the list's price holds again."""
    from app.commands.working import at_work

    at_work(lambda house: _remove(house, model))
    typer.echo(f"{model} has no price of its own any more.")


async def _set(
    house: "House", full_name: str, typed: tuple[str, str, str, str], since: datetime | None
) -> "Rates":
    from app.accounts import audit
    from app.core.clock import now
    from app.usage import days, prices

    rates = prices.rates_from(*typed)
    act = audit.Act(audit.COMMAND_LINE)
    async with house.database.writing() as session:
        zone = await days.workspace_zone(session)
        effective_from = prices.beginning_of(since.date() if since else None, zone, now())
        connection, model = await _known(session, full_name)
        await prices.set_price(session, connection, model, rates, effective_from, act)
    return rates


async def _sheet(house: "House") -> "list[Tag]":
    from app.core.clock import now
    from app.usage import price_sheet

    async with house.database.reading() as session:
        return await price_sheet.sheet(session, now())


async def _remove(house: "House", full_name: str) -> None:
    from app.accounts import audit
    from app.usage import prices

    connection, _, model = full_name.partition("/")
    async with house.database.writing() as session:
        await prices.remove_price(session, connection, model, audit.Act(audit.COMMAND_LINE))


async def _known(session: "AsyncSession", full_name: str) -> tuple[str, str]:
    """Connection and model, both known. A price for a name that was mistyped would never be used."""
    from app.catalog import connections, selection

    name, _, model = full_name.partition("/")
    connection = await connections.by_name(session, name)
    await selection.by_name(session, connection, model)
    return connection.name, model
