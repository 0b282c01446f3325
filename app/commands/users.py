"""`parley users …`: accounts, for automation and for the day when nobody can log in."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.settings import stop

if TYPE_CHECKING:
    from app.accounts.house import House
    from app.accounts.models import User

group = typer.Typer(no_args_is_help=True, help="Accounts: add, list, disable, enable, reset passwords.")

Name = Annotated[str, typer.Argument(help="Username, or e-mail address.", metavar="NAME")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@group.command()
def add(
    name: Annotated[str, typer.Argument(help="Username.", metavar="NAME")],
    email: Annotated[str, typer.Option(help="E-mail address.")],
    full_name: Annotated[str, typer.Option(help="What others see; the username unless given.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="Make an administrator.")] = False,
    password_stdin: PasswordStdin = False,
) -> None:
    """Add an account."""
    from app.accounts.models import UserRole
    from app.accounts.registering import Application, add_by_operator
    from app.commands.working import at_work

    application = Application(name, email, full_name, _new_password(password_stdin))
    role = UserRole.ADMINISTRATOR if admin else UserRole.MEMBER
    user = at_work(lambda house: add_by_operator(house, application, role))
    typer.echo(f"Added {user.username} ({user.role}).")


@group.command("list")
def list_() -> None:
    """List all accounts: username, e-mail address, role, state."""
    from app.commands.working import at_work

    for user in at_work(_everybody):
        state = "disabled" if user.is_disabled else "active"
        typer.echo(f"{user.username}\t{user.email}\t{user.role}\t{state}")


@group.command()
def disable(name: Name) -> None:
    """Shut an account out, at once."""
    from app.commands.working import at_work

    user = at_work(lambda house: _switch(house, name, on=False))
    typer.echo(f"Disabled {user.username}.")


@group.command()
def enable(name: Name) -> None:
    """Let a disabled account in again."""
    from app.commands.working import at_work

    user = at_work(lambda house: _switch(house, name, on=True))
    typer.echo(f"Enabled {user.username}.")


@group.command("reset-password")
def reset_password(name: Name, password_stdin: PasswordStdin = False) -> None:
    """Give an account a new password and end its sessions; without --password-stdin one is made and printed."""
    from app.commands.working import at_work

    given = _read_password() if password_stdin else None
    user, password = at_work(lambda house: _reset(house, name, given))
    typer.echo(f"{user.username} has a new password." if given else password)


def _new_password(from_stdin: bool) -> str:
    if from_stdin:
        return _read_password()
    if not sys.stdin.isatty():
        stop("Give the password on standard input, with --password-stdin.")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _read_password() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        stop("Standard input held no password.")
    return password


async def _everybody(house: "House") -> "list[User]":
    from app.accounts import administration

    async with house.database.reading() as session:
        search = administration.Search()
        everybody = await administration.count_people(session)
        return list(await administration.list_people(session, search, limit=everybody))


async def _switch(house: "House", name: str, *, on: bool) -> "User":
    from app.accounts import administration, audit, people

    act = audit.Act(audit.COMMAND_LINE)
    async with house.database.writing() as session:
        user = await people.by_name(session, name)
        if on:
            return await administration.enable(session, user.id, act)
        return await administration.disable(session, house, user.id, act)


async def _reset(house: "House", name: str, password: str | None) -> "tuple[User, str]":
    from app.accounts import administration, audit, password_rules, people

    async with house.database.reading() as session:
        user = await people.by_name(session, name)
    if password is not None:
        password_rules.refuse_weak(password, user.username, user.email, user.name)
    act = audit.Act(audit.COMMAND_LINE)
    return await administration.reset_password(house, user.id, act, password)
