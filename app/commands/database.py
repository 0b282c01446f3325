"""`parley db …`: bring the database up to date, or copy it aside."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

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
    with explained():
        if not database_file(settings).exists():
            stop(f"There is no database at {database_file(settings)} yet. Start Parley once: bin/serve")
        typer.echo(f"Copied to {back_up(settings)}")


def bring_up_to_date(settings: Settings) -> bool:
    """Run pending migrations and say so; whether there were any. Ends the command when they cannot run.

    A SQLite file that others on the machine could read is theirs no more.
    """
    from app.core import migrations, private_files

    with explained():
        for path in private_files.tighten(settings):
            typer.echo(f"Others on this machine could read {path}. Now only this user can.")
        done = migrations.upgrade(settings)
    if done.backup:
        typer.echo(f"The database was copied to {done.backup} before the upgrade.")
    if done.revisions:
        typer.echo("The database is now up to date.")
    return bool(done.revisions)


@contextmanager
def explained() -> Iterator[None]:
    """Ends the command with a sentence where the installation's secrets, files or database cannot be used."""
    from app.core.crypto import WeakSecret
    from app.core.migrations import NewerDatabase

    try:
        yield
    except (WeakSecret, NewerDatabase) as error:
        stop(str(error))
    except (DataError, IntegrityError, ProgrammingError):
        # It could be opened, and what was asked of it is wrong: the traceback says what that was.
        raise
    except (DatabaseError, sqlite3.Error) as error:
        stop(why_not_opened(error))
    except OSError as error:
        stop(why_not_usable(error))


def why_not_opened(error: DatabaseError | sqlite3.Error) -> str:
    """A sentence for a database that cannot be opened; drivers say why in their first line."""
    said = error.orig if isinstance(error, DatabaseError) else error
    reason = str(said).partition("\n")[0].rstrip(".")
    return f"The database cannot be opened: {reason}. Look at DATABASE_URL and DATA_DIR."


def why_not_usable(error: OSError) -> str:
    """A sentence for a file or folder that cannot be made, read or written."""
    name = error.filename or "DATA_DIR"
    return f"{name} cannot be used: {error.strerror}. Let this user write there, or set another DATA_DIR."
