"""What doors that show money take from the request."""

from starlette.requests import HTTPConnection

from app.usage.currency import Currency, currency_of


def currency_for(connection: HTTPConnection) -> Currency:
    """What whoever asks sees money in: the workspace's currency."""
    return currency_of(connection.app.state.workspace)
