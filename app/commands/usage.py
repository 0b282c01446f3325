"""`parley usage …`: what was used, as a table or JSON; and proof that the sums agree with the ledger."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.accounts.house import House
    from app.chats.accounting import Difference
    from app.usage.access import Wish
    from app.usage.schemas import Report
    from app.usage.verification import Disagreement

group = typer.Typer(no_args_is_help=True, help="What was used, and whether the books agree.")

OF_SUMS = "`parley usage rebuild` adds sums and budgets up again."
OF_MESSAGES = (
    "Reports, budgets and statements follow the ledger; no command changes what replies say of themselves."
)


class Shape(StrEnum):
    TABLE = "table"
    JSON = "json"


class Part(StrEnum):
    MODELS = "models"
    PEOPLE = "people"
    GROUPS = "groups"
    KEYS = "keys"
    ORIGINS = "origins"


@group.command()
def report(
    period: Annotated[str, typer.Option(help="7d, month or year.")] = "month",
    first: Annotated[str, typer.Option("--from", help="First day, such as 2026-11-01.", metavar="DAY")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day.", metavar="DAY")] = "",
    by: Annotated[Part, typer.Option(help="What the lines of the table are.")] = Part.MODELS,
    user: Annotated[str, typer.Option(help="Only this person: username or e-mail.", metavar="NAME")] = "",
    in_group: Annotated[str, typer.Option("--group", help="Only this group.", metavar="NAME")] = "",
    model: Annotated[str, typer.Option(help="Only this model.", metavar="CONNECTION/MODEL")] = "",
    shape: Annotated[Shape, typer.Option("--format", help="A table, or JSON with everything.")] = Shape.TABLE,
) -> None:
    """What was used in a period, and what it cost in US dollars."""
    from app.commands.working import at_work
    from app.usage.access import Wish
    from app.usage.questions import Filter

    wish = Wish(period, first, last, filter=Filter(model=model))
    found = at_work(lambda house: _report(house, wish, user, in_group))
    if shape is Shape.JSON:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _print_table(found, by)


@group.command()
def verify() -> None:
    """Add the ledger up and compare it with all sums, budgets and messages; exit code 1 when something differs."""
    from app.commands.working import at_work

    sums, messages, beyond, entries = at_work(_verify)
    for model, calls in beyond.items():
        number = "1 call" if calls == 1 else f"{calls:,} calls"
        typer.echo(f"{model}: {number} for which its provider billed more than a hard limit allowed.")
    for found in (*sums, *messages):
        typer.echo(str(found), err=True)
    if sums or messages:
        differences = len(sums) + len(messages)
        number = "1 difference" if differences == 1 else f"{differences} differences"
        advice = [*([OF_SUMS] if sums else []), *([OF_MESSAGES] if messages else [])]
        typer.echo(" ".join([f"{number}.", *advice]), err=True)
        sys.exit(1)
    typer.echo(f"The ledger's {entries:,} entries, all sums, all budgets and all messages agree.")


@group.command()
def rebuild() -> None:
    """Add all sums, and what is spent of budgets, up again from the ledger, which is what counts."""
    from app.commands.working import at_work

    typer.echo(f"Added up {at_work(_rebuild):,} entries of the ledger.")


def _print_table(found: "Report", by: Part) -> None:
    typer.echo(f"{found.first} to {found.last}")
    lines = (
        [(line.model, line) for line in found.models]
        if by is Part.MODELS
        else [(line.name, line) for line in getattr(found, by)]
    )
    for name, line in [*lines, ("In all", found.total)]:
        dollars = f"{line.cost_micros / 1_000_000:.2f} USD" if line.unpriced < line.requests else "no price"
        typer.echo(
            f"{name}\t{line.requests} requests\t{line.input_tokens} in\t{line.output_tokens} out\t{dollars}"
        )


async def _report(house: "House", wish: "Wish", username: str, group_name: str) -> "Report":
    from dataclasses import replace

    from sqlalchemy import select

    from app.accounts import groups, people
    from app.accounts.models import User, UserRole
    from app.usage.access import workspace_view
    from app.usage.dashboard import dashboard
    from app.usage.schemas import Report

    async with house.database.reading() as session:
        named = replace(
            wish.filter,
            user=(await people.by_name(session, username)).id if username else "",
            group=(await groups.by_name(session, group_name)).id if group_name else "",
        )
        # The command line sees what an administrator sees; before there is one, nothing was used.
        operator = await session.scalar(select(User).where(User.role == UserRole.ADMINISTRATOR)) or User(
            id=""
        )
        return Report.of(await dashboard(session, workspace_view(operator), replace(wish, filter=named)))


async def _verify(house: "House") -> "tuple[list[Disagreement], list[Difference], dict[str, int], int]":
    from app.chats import accounting
    from app.core.clock import now
    from app.usage import verification

    # One moment of all of it: the server may go on writing.
    async with house.database.snapshot() as session:
        sums = await verification.disagreements(session, now())
        messages = await accounting.differences(session)
        beyond = await verification.beyond_limits(session)
        return sums, messages, beyond, await verification.count(session)


async def _rebuild(house: "House") -> int:
    from app.core.clock import now
    from app.usage import verification

    async with house.database.writing() as session:
        return await verification.rebuild(session, now())
