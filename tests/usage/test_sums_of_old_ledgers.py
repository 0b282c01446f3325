"""A ledger from before there were sums is added up by the migration, the way it is added up ever since."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from app.core import migrations
from app.core.clock import now
from app.core.database import Database
from app.core.settings import ROOT, Settings
from app.usage import verification

BEFORE = "0004"
OLD_ROWS = text(
    "INSERT INTO ledger_entries (id, at, user_id, group_id, connection, model, origin, correction_of,"
    " input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, is_estimate,"
    " cost_micros, price_source, price, outcome, error_code, attempts, first_token_ms, total_ms)"
    " VALUES (:id, :at, :user, :group, 'openai', :model, :origin, :corrects,"
    " 100, 10, 0, 50, 5, false, :cost, '', '', :outcome, '', 1, :first, 1500)"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    (settings.data_dir / "parley.db").unlink()
    if request.param == "sqlite":
        return settings
    return settings.model_copy(update={"database_url": request.getfixturevalue("postgres_url")})


async def test_it_agrees_with_its_sums(settings: Settings) -> None:
    configuration = Config(ROOT / "alembic.ini")
    with migrations.connection_for_migrating(settings.resolved_database_url) as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, BEFORE)
        for number, outcome in enumerate(("finished", "stopped", "failed", "finished")):
            row = {
                "id": f"row{number}",
                "at": f"2026-1{number % 2}-0{number + 1} 12:00:00.000000",
                "user": "alice" if number else "bob",
                "group": "design" if number == 2 else None,
                "model": f"m{number % 2}",
                "origin": "api" if number == 1 else "chat:harbour",
                "corrects": "row0" if number == 3 else None,
                "cost": None if number == 2 else 1_000,
                "outcome": outcome,
                "first": None if number == 1 else 300,
            }
            connection.execute(OLD_ROWS, row)
        command.upgrade(configuration, "head")

    database = Database(settings.resolved_database_url)
    async with database.reading() as session:
        assert await verification.count(session) == 4
        assert await verification.disagreements(session, now()) == []
    await database.close()
