"""The one clock. Times are timezone-aware and in UTC; people's time zones matter only when a page is shown."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
