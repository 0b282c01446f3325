"""Who is asking: the same answer for cookie, Bearer and x-api-key, and never an old one."""

from fastapi import FastAPI

from app.core.database import Database
from tests.cast import Cast, Visitor


async def test_the_cast_is_signed_in(app: FastAPI, client: Visitor, cast: Cast, database: Database):
    assert cast.alice.client.cookies


def test_postgres_starts(postgres_with_tables: str):
    assert postgres_with_tables
