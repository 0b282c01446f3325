"""What a database refuses or fails to do, as every door tells it: in a sentence."""

from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from app.core.errors import Invalid, ParleyError, Unavailable
from app.logs import Log

log = Log("database")

REFUSED = (DataError, UnicodeEncodeError)
"""A zero byte or half of a surrogate pair, somewhere in what was sent: no database stores them."""
FAILED = (OperationalError, InterfaceError, NoConnectionFree)
"""It is away, its disk is full, somebody else keeps it locked, or all connections to it are taken."""
AWAY = (*FAILED, Unavailable)
"""What the same work may not meet in a moment; the last is said of a turn to write that did not come."""
TOLD = (*REFUSED, *FAILED)
SECONDS_UNTIL_IT_MAY_BE_BACK = 5


def told(error: Exception) -> ParleyError:
    """The error for whoever asked; of a failure the log says more."""
    if isinstance(error, REFUSED):
        return Invalid("That contains a character that cannot be stored. Leave it out.")
    log.error("database_failed", kind=type(error).__name__, raised=error)
    return Unavailable(
        "The database does not answer just now. Try again in a moment; if it lasts, an administrator finds the "
        "reason with `bin/parley check` on the server.",
        retry_after=SECONDS_UNTIL_IT_MAY_BE_BACK,
    )
