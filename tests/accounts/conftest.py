"""What stories about keys stand on."""

import pytest
from fastapi import FastAPI

from app.accounts.doorkeeper import Doorkeeper
from app.accounts.house import House


@pytest.fixture
def house(app: FastAPI) -> House:
    return House(app.state.database, app.state.hub, app.state.settings, app.state.secrets.signing_key)


@pytest.fixture
def keeper(app: FastAPI) -> Doorkeeper:
    keeper: Doorkeeper = app.state.doorkeeper
    return keeper
