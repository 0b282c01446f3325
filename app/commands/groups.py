"""`parley groups …`: who belongs together and who pays. A running server uses every change at once."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.accounts.house import House

group = typer.Typer(no_args_is_help=True, help="Groups: add, list, put people in.")

GroupName = Annotated[str, typer.Argument(help="Name of the group.", metavar="GROUP")]


@group.command()
def add(name: Annotated[str, typer.Argument(help="What people see.", metavar="NAME")]) -> None:
    """Add a group with nobody in it."""
    from app.commands.working import at_work

    typer.echo(f"Added {at_work(lambda house: _add(house, name))}.")


@group.command("list")
def list_() -> None:
    """List all groups: name, members, people it pays for, managers."""
    from app.commands.working import at_work

    for line in at_work(_lines):
        typer.echo(line)


@group.command()
def put(
    user: Annotated[str, typer.Argument(help="Username, or e-mail address.", metavar="USER")],
    name: GroupName,
    manager: Annotated[bool, typer.Option("--manager", help="Make a manager of the group.")] = False,
    main: Annotated[
        bool, typer.Option("--main", help="Let this group pay; the first group of a person always does.")
    ] = False,
) -> None:
    """Put somebody into a group. What was so already stays so."""
    from app.commands.working import at_work

    username, group_name = at_work(lambda house: _put(house, user, name, manager, main))
    typer.echo(f"Put {username} into {group_name}.")


async def _add(house: "House", name: str) -> str:
    from app.accounts import audit, groups

    async with house.database.writing() as session:
        return (await groups.create(session, name, audit.Act(audit.COMMAND_LINE))).name


async def _lines(house: "House") -> list[str]:
    from app.accounts import groups, memberships
    from app.accounts.memberships import Size

    async with house.database.reading() as session:
        everything = await groups.all_groups(session)
        sizes = await memberships.sizes(session)
        managers = await memberships.managers(session)
    lines = []
    for found in everything:
        size = sizes.get(found.id, Size())
        names = ", ".join(user.username for user in managers.get(found.id, [])) or "-"
        lines.append(f"{found.name}\t{size.members}\t{size.paid_for}\t{names}")
    return lines


async def _put(
    house: "House", login: str, group_name: str, is_manager: bool, is_main: bool
) -> tuple[str, str]:
    from app.accounts import audit, groups, memberships, people

    act = audit.Act(audit.COMMAND_LINE)
    async with house.database.writing() as session:
        user = await people.by_name(session, login)
        found = await groups.by_name(session, group_name)
        await memberships.put(session, found, user, act, is_manager=is_manager, is_main=is_main)
    return user.username, found.name
