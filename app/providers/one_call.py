"""One tool call at a time, kept here: many servers have no word for it, or do not listen to it."""

from collections.abc import Callable, Iterable

from app.providers.base import Request
from app.providers.events import Event, ToolCallDelta
from app.providers.exchange import Reader
from app.providers.untrusted import Json


def reader_for(request: Request, new_reader: Callable[[], Reader]) -> Callable[[], Reader]:
    """Makes readers that keep to what was asked: calls after the first are left out where one was wanted."""
    if request.parallel_tool_calls is not False:
        return new_reader
    return lambda: _FirstCallOnly(new_reader())


class _FirstCallOnly:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def has_finished(self) -> bool:
        return self._reader.has_finished

    @property
    def is_over(self) -> bool:
        return self._reader.is_over

    def read(self, message: Json) -> Iterable[Event]:
        return filter(_is_wanted, self._reader.read(message))

    def end(self) -> Iterable[Event]:
        return self._reader.end()


def _is_wanted(event: Event) -> bool:
    return not isinstance(event, ToolCallDelta) or event.index == 0
