"""Errors are sentences for a person: what happened, and what to do about it.

Raised anywhere, rendered once (`error_pages`): as a page, a fragment, or JSON.
"""

from typing import ClassVar

from app.logs import Log

log = Log("error")


class ParleyError(Exception):
    """Base of all errors a person may see. `code` is stable and machine-readable."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        """Seconds after which trying again makes sense."""


class Invalid(ParleyError):
    """What was sent cannot be used. `field` names the form field that it is about."""

    status = 422
    code = "invalid"
    title = "That does not fit"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotSignedIn(ParleyError):
    status = 401
    code = "not_signed_in"
    title = "Please log in"


class Forbidden(ParleyError):
    status = 403
    code = "forbidden"
    title = "Not allowed"


class NotFound(ParleyError):
    status = 404
    code = "not_found"
    title = "Nothing here"

    def __init__(self, message: str = "There is nothing at this address, or it is not yours to see.") -> None:
        super().__init__(message)


class Conflict(ParleyError):
    status = 409
    code = "conflict"
    title = "That changed in the meantime"


class TooLarge(ParleyError):
    status = 413
    code = "too_large"
    title = "That is too large"


class TooMany(ParleyError):
    status = 429
    code = "too_many_requests"
    title = "Too many attempts"


class Unavailable(ParleyError):
    status = 503
    code = "unavailable"
    title = "Not available right now"


class Broken(ParleyError):
    """An error nobody foresaw; its details go to the log, never to the page."""


def unforeseen(error: Exception) -> Broken:
    """What is told instead of `error`, of which only the log tells."""
    log.error("unforeseen", kind=type(error).__name__, raised=error)
    return Broken("This was our mistake, and it is in the server's log. Try again.")
