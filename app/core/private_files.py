"""The files of SQLite and their copies belong to Parley's user: conversations are as private as the keys
beside them."""

import stat
from collections.abc import Iterator
from pathlib import Path

from app.core.backups import backup_folder, database_file
from app.core.settings import Settings

PRIVATE = 0o600
OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def tighten(settings: Settings) -> list[Path]:
    """Let nobody else on the machine read them; returns the files whose mode was changed.

    What belongs to another user stays as it is: `parley check` names it.
    """
    changed = []
    for path in open_files(settings) if not settings.keep_file_modes else ():
        try:
            path.chmod(PRIVATE)
        except PermissionError:
            continue
        changed.append(path)
    return changed


def open_files(settings: Settings) -> list[Path]:
    """Those of them that others on the machine can read or write."""
    return [path for path in _files(settings) if is_open_to_others(path)] if settings.is_sqlite else []


def is_open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & OF_OTHERS)


def _files(settings: Settings) -> Iterator[Path]:
    database = database_file(settings)
    beside = (database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm"))
    yield from (path for path in beside if path.is_file())
    yield from backup_folder(settings).glob("parley-*.db")
