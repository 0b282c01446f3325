"""Migrations run both ways on both databases, and end where the models are."""

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from app import schema
from app.core import backups, migrations
from app.core.settings import ROOT, Settings


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return Settings(_env_file=None, data_dir=tmp_path, database_url="")
    url = request.getfixturevalue("postgres_url")
    return Settings(_env_file=None, data_dir=tmp_path, database_url=url)


@pytest.fixture
def small(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, database_url="")


def test_an_empty_database_gets_exactly_the_tables_of_the_models(settings: Settings) -> None:
    done = migrations.upgrade(settings)

    assert done.revisions
    assert done.backup is None, "there was nothing to copy"
    assert _differences(settings) == []


def test_every_revision_can_be_undone_and_done_again(settings: Settings) -> None:
    everything = migrations.upgrade(settings).revisions

    for _ in everything:
        _alembic(settings, command.downgrade, "-1")
    assert _tables(settings) <= {"alembic_version"}

    assert migrations.upgrade(settings).revisions == everything
    assert _differences(settings) == []


def test_a_database_that_is_up_to_date_is_left_alone(settings: Settings) -> None:
    migrations.upgrade(settings)

    assert migrations.pending(settings) == ()
    assert migrations.upgrade(settings) == migrations.Migrated((), None)


def test_a_database_of_a_newer_parley_is_refused(settings: Settings) -> None:
    migrations.upgrade(settings)
    with migrations.connection_for_migrating(settings.resolved_database_url) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from_the_future'")

    with pytest.raises(migrations.NewerDatabase, match="newer version of Parley"):
        migrations.upgrade(settings)


def test_a_sqlite_database_is_copied_before_it_is_changed(small: Settings) -> None:
    migrations.upgrade(small)
    _alembic(small, command.downgrade, "base")
    with sqlite3.connect(backups.database_file(small)) as database:
        database.execute("CREATE TABLE precious (word)")
        database.execute("INSERT INTO precious VALUES ('kept')")

    copy = migrations.upgrade(small).backup

    assert copy is not None
    assert copy.parent == small.data_dir / "backups"
    assert copy.stat().st_mode & 0o077 == 0, "a copy is as private as the database"
    with sqlite3.connect(copy) as database:
        assert database.execute("SELECT word FROM precious").fetchall() == [("kept",)]


def test_a_migration_that_fails_leaves_nothing_behind(
    small: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_done(configuration: Config, _revision: str) -> None:
        configuration.attributes["connection"].exec_driver_sql("CREATE TABLE half (done)")
        raise RuntimeError("the power went off")

    monkeypatch.setattr(command, "upgrade", half_done)

    with pytest.raises(RuntimeError):
        migrations.upgrade(small)

    assert _tables(small) == set()


def test_only_the_newest_copies_are_kept(small: Settings) -> None:
    migrations.upgrade(small)

    copies = [backups.back_up(small) for _ in range(backups.KEPT + 2)]

    assert sorted((small.data_dir / "backups").iterdir()) == copies[-backups.KEPT :]


def _differences(settings: Settings) -> list[object]:
    with migrations.connection_for_migrating(settings.resolved_database_url) as connection:
        return list(compare_metadata(MigrationContext.configure(connection), schema.metadata))


def _tables(settings: Settings) -> set[str]:
    with migrations.connection_for_migrating(settings.resolved_database_url) as connection:
        return set(inspect(connection).get_table_names())


def _alembic(settings: Settings, verb: object, revision: str) -> None:
    assert callable(verb)
    configuration = Config(ROOT / "alembic.ini")
    with migrations.connection_for_migrating(settings.resolved_database_url) as connection:
        configuration.attributes["connection"] = connection
        verb(configuration, revision)


def test_a_new_database_is_read_by_its_owner_only(small: Settings) -> None:
    migrations.upgrade(small)

    assert backups.database_file(small).stat().st_mode & 0o077 == 0
