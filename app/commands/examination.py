"""What `parley check` looks at. Each examination ends in findings, one sentence each; none changes anything
but a connection's last success or error."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError

from app import schema
from app.catalog import discovery
from app.catalog.models import Connection
from app.catalog.opening import OpenProviders
from app.commands import env_file
from app.commands.database import why_not_opened, why_not_usable
from app.core import migrations
from app.core.crypto import ENCRYPTION_KEY_FILE, SECRET_KEY_FILE, WeakSecret, load_secrets, open_vault
from app.core.database import Database
from app.core.private_files import is_open_to_others, open_files
from app.core.settings import Settings

LEAST_FREE_BYTES = 200_000_000


class Verdict(StrEnum):
    FINE = "ok"
    NOTE = "note"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """`subject` names what was looked at; `sentence` says how it is and, unless it is fine, what to do."""

    verdict: Verdict
    subject: str
    sentence: str

    @property
    def has_failed(self) -> bool:
        return self.verdict is Verdict.FAILED


async def examine(settings: Settings) -> list[Finding]:
    """Everything, in the order in which one thing needs another."""
    findings = [*_settings(settings), *_installation(settings)]
    if not any(finding.has_failed for finding in findings):
        database = Database(settings.resolved_database_url)
        try:
            findings.append(await _accounts(database))
            findings.extend(await _connections(database, settings))
        finally:
            await database.close()
    return findings


def _settings(settings: Settings) -> Iterator[Finding]:
    for sentence in env_file.unknown_names():
        yield Finding(Verdict.WARNING, "Settings", sentence)
    where = "SQLite" if settings.is_sqlite else "PostgreSQL"
    yield Finding(Verdict.FINE, "Settings", f"read; {where}, data in {settings.data_dir.resolve()}.")


def _installation(settings: Settings) -> Iterator[Finding]:
    """What lies in DATA_DIR, and the database's schema. Nothing more is looked at once a file cannot be used."""
    try:
        yield from _secrets(settings)
        yield from _files(settings)
        yield _disk(settings)
        yield _migrations(settings)
    except OSError as error:
        yield Finding(Verdict.FAILED, "Files", why_not_usable(error))


def _secrets(settings: Settings) -> Iterator[Finding]:
    try:
        load_secrets(settings)
    except WeakSecret as error:
        yield Finding(Verdict.FAILED, "Secrets", str(error))
        return
    for name in (SECRET_KEY_FILE, ENCRYPTION_KEY_FILE):
        path = settings.data_dir / name
        if path.exists() and is_open_to_others(path):
            yield Finding(
                Verdict.FAILED, "Secrets", f"{path} can be read by other users. Run: chmod 600 {path}"
            )
            return
    yield Finding(Verdict.FINE, "Secrets", "present, and readable by this user only.")


def _files(settings: Settings) -> Iterator[Finding]:
    verdict = Verdict.NOTE if settings.keep_file_modes else Verdict.FAILED
    for path in open_files(settings):
        what_to_do = (
            "KEEP_FILE_MODES leaves that to you."
            if settings.keep_file_modes
            else f"Start Parley again, or run: chmod 600 {path}"
        )
        yield Finding(verdict, "Files", f"{path} can be read by other users. {what_to_do}")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.data_dir).free
    said = f"{free / 1_000_000_000:.1f} GB are free where the data is."
    if free < LEAST_FREE_BYTES:
        return Finding(Verdict.FAILED, "Disk", f"{said} Make room, or move DATA_DIR to a larger disk.")
    return Finding(Verdict.FINE, "Disk", said)


def _migrations(settings: Settings) -> Finding:
    try:
        pending = migrations.pending(settings)
    except migrations.NewerDatabase as error:
        return Finding(Verdict.FAILED, "Database", str(error))
    except DatabaseError as error:
        return Finding(Verdict.FAILED, "Database", why_not_opened(error))
    if pending:
        sentence = f"lacks {len(pending)} migration(s). Run: bin/parley db upgrade (bin/serve does it too)."
        return Finding(Verdict.FAILED, "Database", sentence)
    return Finding(Verdict.FINE, "Database", "answers, and has this version's schema.")


async def _accounts(database: Database) -> Finding:
    async with database.reading() as session:
        count = await session.scalar(select(func.count()).select_from(schema.accounts.User))
    if not count:
        return Finding(Verdict.NOTE, "Accounts", "there are none yet. Start Parley and open /setup.")
    return Finding(Verdict.FINE, "Accounts", f"{count}.")


async def _connections(database: Database, settings: Settings) -> list[Finding]:
    async with database.reading() as session:
        query = select(Connection).where(Connection.is_active).order_by(Connection.name)
        active = list(await session.scalars(query))
    if not active:
        return [
            Finding(
                Verdict.NOTE, "Providers", "none is connected. Add one under Administration → Connections."
            )
        ]
    providers = OpenProviders(open_vault(settings), settings)
    try:
        answers = [await _connection(database, providers, connection.id) for connection in active]
    finally:
        await providers.close()
    # Echo always answers, and nobody keeps Parley for it: it does not make up for a provider that fails.
    real = [answer for connection, answer in zip(active, answers, strict=True) if connection.kind != "echo"]
    if any(answer.verdict is Verdict.FINE for answer in real) or not real:
        return answers
    nobody = "none of them answers, so nobody can talk to a model. See above."
    return [*answers, Finding(Verdict.FAILED, "Providers", nobody)]


async def _connection(database: Database, providers: OpenProviders, connection_id: str) -> Finding:
    answer = await discovery.test(database, providers, connection_id)
    subject = f"Provider {answer.label}"
    if answer.error is not None:
        return Finding(Verdict.WARNING, subject, str(answer.error))
    return Finding(Verdict.FINE, subject, f"answered in {answer.ms} ms with {len(answer.models)} models.")
