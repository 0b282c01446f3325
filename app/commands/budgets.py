"""`parley budgets …`: limits on use. A running server holds every change with the next call, a second later at most."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.accounts.house import House
    from app.usage.currency import Currency
    from app.usage.models import Budget

group = typer.Typer(no_args_is_help=True, help="Budgets and rate limits: add, list, remove.")


@group.command()
def add(
    scope: Annotated[
        str,
        typer.Option(
            help="Whose use: workspace, group:NAME, user:NAME, key:PREFIX or model:NAME; * for each one."
        ),
    ],
    limit: Annotated[
        str,
        typer.Option(help="How much money, tokens, requests, or replies at once.", metavar="AMOUNT"),
    ],
    period: Annotated[
        str, typer.Option(help="day, week, month or total; minute makes a rate limit.")
    ] = "month",
    unit: Annotated[
        str,
        typer.Option(
            help="usd or the code of the workspace's currency, such as eur; tokens, requests, or replies (at once)."
        ),
    ] = "usd",
    soft: Annotated[bool, typer.Option("--soft", help="Only warn, never refuse.")] = False,
    warn: Annotated[int, typer.Option(help="Percent from which people are warned.")] = 80,
) -> None:
    """Limit the use of the workspace, a group, a user, a key or a model."""
    from app.commands.working import at_work

    typer.echo(at_work(lambda house: _add(house, scope, limit, period, unit, not soft, warn)))


@group.command("list")
def list_() -> None:
    """List all budgets: id, whose use, limit, hard or soft, what is spent."""
    from app.commands.working import at_work

    for line in at_work(_lines):
        typer.echo(line)


@group.command()
def remove(
    budget: Annotated[str, typer.Argument(help="Its id, as `budgets list` shows it.", metavar="ID")],
) -> None:
    """Limit no more."""
    from app.commands.working import at_work

    typer.echo(f"Removed {at_work(lambda house: _remove(house, budget))}.")


async def _add(
    house: "House", scope: str, limit: str, period: str, unit: str, is_hard: bool, warn: int
) -> str:
    from app.accounts import audit, workspace
    from app.usage import budgets, subjects
    from app.usage.currency import currency_of

    act = audit.Act(audit.COMMAND_LINE)
    lasting = budgets.period_from(period)
    async with house.database.writing() as session:
        shown_in = currency_of(await workspace.stored_or_new(session))
        counted, currency = budgets.unit_from(unit, shown_in)
        wanted = budgets.Limit(budgets.amount_from(limit, counted, currency), warn, is_hard)
        subject = await subjects.find(session, scope)
        budget = await budgets.create(session, subject, counted, lasting, wanted, act)
        name = (await subjects.names_of(session, [subject]))[subject]
    return f"Added {budget.id}: {_limit(budget, shown_in)} for {name}."


async def _lines(house: "House") -> list[str]:
    from app.accounts import workspace
    from app.core.clock import now
    from app.usage import budget_overview
    from app.usage.currency import USD, currency_of

    async with house.database.reading() as session:
        shown_in = currency_of(await workspace.stored_or_new(session))
        cards = await budget_overview.cards(session, now(), USD)
    lines = []
    for card in cards:
        budget = card.budget
        of_each = [
            f"{line.name} {_amount(line.standing.spent, budget.unit, shown_in)}" for line in card.lines
        ]
        spent = ", ".join(of_each) or "-"
        if not budget.is_for_each and card.lines:
            spent = _amount(card.lines[0].standing.spent, budget.unit, shown_in)
        kind = "hard" if budget.is_hard else "soft"
        lines.append(f"{budget.id}\t{card.name}\t{_limit(budget, shown_in)}\t{kind}\tspent {spent}")
    return lines


def _limit(budget: "Budget", shown_in: "Currency") -> str:
    """`$50.00 a month (€46.00)`: as it is kept, and as people see it."""
    from app.usage.amounts import limit_in_words

    return limit_in_words(budget) + _as_shown(budget.amount, budget.unit, shown_in)


def _amount(amount: int, unit: str, shown_in: "Currency") -> str:
    from app.usage.amounts import in_words

    return in_words(amount, unit) + _as_shown(amount, unit, shown_in)


def _as_shown(amount: int, unit: str, shown_in: "Currency") -> str:
    from app.usage.currency import USD, money
    from app.usage.models import Unit

    is_converted = unit == Unit.USD and shown_in.code != USD.code
    return f" ({money(amount, shown_in)})" if is_converted else ""


async def _remove(house: "House", budget_id: str) -> str:
    from app.accounts import audit
    from app.usage import budgets
    from app.usage.amounts import limit_in_words

    async with house.database.writing() as session:
        budget = await budgets.by_id(session, budget_id)
        await budgets.remove(session, budget, audit.Act(audit.COMMAND_LINE))
        return limit_in_words(budget)
