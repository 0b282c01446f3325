"""Those who watch over Parley learn whether it works, and nothing else."""

from fastapi import FastAPI

from app.core.database import Database
from app.core.version import VERSION
from tests.cast import Visitor


async def test_anybody_may_ask_and_learns_the_state_only(client: Visitor) -> None:
    response = await client.get("/health")

    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["version"] == VERSION
    assert response.json()["database"]["ms"] >= 0
    assert response.headers["cache-control"] == "no-store"


async def test_a_database_that_does_not_answer_is_said_plainly(client: Visitor, app: FastAPI) -> None:
    lost = Database("postgresql+psycopg://nobody:hidden-password@127.0.0.1:1/lost")
    app.state.database, kept = lost, app.state.database
    try:
        response = await client.get("/health")
    finally:
        app.state.database = kept

    assert response.status_code == 503
    assert response.json()["status"] == "failing"
    assert "bin/parley check" in response.json()["message"]
    assert "hidden-password" not in response.text
