"""Copies of a SQLite database, taken while it is in use, and the newest few of them kept."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from app.core.clock import now
from app.core.settings import Settings

KEPT = 5


def back_up(settings: Settings, *, at: datetime | None = None) -> Path:
    """Copy the database to `DATA_DIR/backups` and return where; older copies than the newest few go."""
    folder = backup_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"parley-{at or now():%Y%m%d-%H%M%S-%f}.db"
    _copy(database_file(settings), target)
    for old in sorted(folder.glob("parley-*.db"))[:-KEPT]:
        old.unlink()
    return target


def backup_folder(settings: Settings) -> Path:
    """Where copies are kept."""
    return settings.data_dir / "backups"


def database_file(settings: Settings) -> Path:
    """Where the SQLite database lies."""
    return Path(make_url(settings.resolved_database_url).database or "")


def _copy(source: Path, target: Path) -> None:
    # SQLite's own copying: a plain copy of the file would miss what is still in its write-ahead log.
    beside = target.with_suffix(".partial")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(beside)) as copy:
        original.backup(copy)
    beside.replace(target)
