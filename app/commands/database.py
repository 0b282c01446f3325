"""`parley db …`: bring the database up to date, or copy it aside."""

import typer
from sqlalchemy.exc import OperationalError

from app.commands.settings import read_settings, stop
from app.core.settings import Settings

group = typer.Typer(no_args_is_help=True, help="The database: upgrade and back up.")


@group.command()
def upgrade() -> None:
    """Bring the database to this version's schema; a SQLite database is copied aside first."""
    if not bring_up_to_date(read_settings()):
        typer.echo("The database is up to date.")


@group.command()
def backup() -> None:
    """Copy the SQLite database to DATA_DIR/backups, also while Parley runs."""
    from app.core.backups import back_up, database_file

    settings = read_settings()
    if not settings.is_sqlite:
        stop(
            "PostgreSQL brings its own tool for this: pg_dump --format=custom --file=parley.dump DATABASE_URL"
        )
    if not database_file(settings).exists():
        stop(f"There is no database at {database_file(settings)} yet. Start Parley once: bin/serve")
    typer.echo(f"Copied to {back_up(settings)}")


def bring_up_to_date(settings: Settings) -> bool:
    """Run pending migrations and say so; whether there were any. Ends the command when they cannot run.

    A SQLite file that others on the machine could read is theirs no more.
    """
    from app.core import migrations, private_files

    for path in private_files.tighten(settings):
        typer.echo(f"Others on this machine could read {path}. Now only this user can.")
    try:
        done = migrations.upgrade(settings)
    except migrations.NewerDatabase as error:
        stop(str(error))
    except OperationalError as error:
        stop(why_not_opened(error))
    if done.backup:
        typer.echo(f"The database was copied to {done.backup} before the upgrade.")
    if done.revisions:
        typer.echo("The database is now up to date.")
    return bool(done.revisions)


def why_not_opened(error: OperationalError) -> str:
    """A sentence for a database that cannot be opened; drivers say why in their first line."""
    reason = str(error.orig).partition("\n")[0].rstrip(".")
    return f"The database cannot be opened: {reason}. Look at DATABASE_URL and DATA_DIR."
