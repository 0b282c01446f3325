"""`parley demo …`: a workspace with people, conversations and a year of usage, for trying things out."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.settings import stop

if TYPE_CHECKING:
    from app.accounts.house import House
    from app.commands.seeding import Seeded

group = typer.Typer(no_args_is_help=True, help="A workspace to try things out with.")


@group.command()
def seed(
    people: Annotated[int, typer.Option(min=1, max=2_000, help="How many people there are.")] = 24,
    requests: Annotated[
        int, typer.Option(min=0, max=5_000_000, help="How many calls of models they made in a year.")
    ] = 40_000,
    password: Annotated[str, typer.Option(help="Everybody's password; else one is made up.")] = "",
) -> None:
    """Fill an empty installation with made-up people and what they used. The same figures each time."""
    from app.commands.working import at_work

    done = at_work(lambda house: _seed(house, people, requests, password))
    typer.echo(f"{done.people} people, {done.conversations} conversations, {done.requests:,} calls.")
    typer.echo(f"Log in as {done.username} with the password {done.password}")


async def _seed(house: "House", people: int, requests: int, password: str) -> "Seeded":
    from app.commands import seeding

    if not await seeding.is_empty(house.database):
        stop("There are accounts already. A demo needs an installation of its own: set another DATA_DIR.")
    return await seeding.seed(house, people=people, requests=requests, password=password)
