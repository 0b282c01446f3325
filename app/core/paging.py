"""Keyset paging: a page continues after a row, so that it stays right and fast however long the list is."""

from dataclasses import dataclass
from datetime import UTC, datetime

from app.core.errors import Invalid

PATTERN = r"^\d{1,17}-[0-9a-z]{1,32}$"


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: its time and its id. As text it fits into an address."""

    at: datetime
    id: str

    @property
    def text(self) -> str:
        return f"{round(self.at.timestamp() * 1_000_000)}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises Invalid."""
        microseconds, _, row_id = text.partition("-")
        try:
            seconds, rest = divmod(int(microseconds), 1_000_000)
            at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
        except (ValueError, OverflowError, OSError) as error:
            raise Invalid("This page address is not complete. Go back to the list.") from error
        return cls(at, row_id)
