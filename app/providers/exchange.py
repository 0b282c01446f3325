"""One exchange with a provider, the same for every vendor: send, read message by message, repair, end well."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Protocol

from app.providers.errors import ProviderError, RequestRefused
from app.providers.events import Event, is_of_the_answer
from app.providers.untrusted import Json, parsed
from app.providers.wire import Decoder, Pace, Wire, whole_with_retries, with_retries
from app.values import value

DONE = b"[DONE]"

Repair = Callable[[Json, RequestRefused], Json | None]
"""A body without what was refused, or None; each repair must make the body simpler."""


class Reader(Protocol):
    """Turns a vendor's messages into events; one for each answer."""

    @property
    def has_finished(self) -> bool:
        """Whether the vendor has said why the answer ended: what follows is only about its cost."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether nothing more can follow."""
        ...

    def read(self, message: Json) -> Iterable[Event]: ...

    def end(self) -> Iterable[Event]:
        """What was held back, and `Finished`. Called when the answer came whole."""
        ...


@value
class Exchange:
    """What differs from vendor to vendor. `whole_as_message` makes an unstreamed answer look like a message."""

    wire: Wire
    path: str
    new_decoder: Callable[[], Decoder]
    new_reader: Callable[[], Reader]
    repair: Repair = lambda _body, _error: None
    whole_as_message: Callable[[Json], Json] = lambda answer: answer

    def events(
        self, say: Callable[[], Json], *, streaming: bool, retries: int
    ) -> AsyncGenerator[Event, None]:
        """The answer to the body that `say` returns; what cannot be said is raised when the answer is read."""
        if streaming:
            return with_retries(lambda: repaired(say(), self._streamed, self.repair), retries)
        return whole_with_retries(lambda: whole_repaired(say(), self._whole, self.repair), retries)

    async def _whole(self, body: Json) -> Sequence[Event]:
        reader = self.new_reader()
        answer = await self.wire.post(self.path, body)
        events = list(reader.read(self.whole_as_message(answer)))
        if not events and not reader.has_finished:
            raise self.wire.not_understood()
        return [*events, *reader.end()]

    async def _streamed(self, body: Json) -> AsyncGenerator[Event, None]:
        reader, pace = self.new_reader(), Pace()
        try:
            async with aclosing(self.wire.stream(self.path, body, self.new_decoder(), pace)) as messages:
                async for message in messages:
                    for event in self._read(message, reader, pace, body):
                        yield event
        except ProviderError:
            # The answer is whole: a connection lost while waiting for its cost takes nothing away.
            if not reader.has_finished:
                raise
        if pace.is_over:
            return
        if not reader.has_finished:
            raise self.wire.broken_off() if pace.has_begun else self.wire.not_understood()
        for event in reader.end():
            yield event

    def _read(self, message: bytes, reader: Reader, pace: Pace, body: Json) -> Iterable[Event]:
        if pace.is_over:
            return
        is_done = message.strip() == DONE
        if not is_done:
            for event in reader.read(self._understood(message, body, pace)):
                pace.has_begun = pace.has_begun or is_of_the_answer(event)
                yield event
        # "Done" after nothing at all is no answer.
        if reader.is_over or (is_done and (pace.has_begun or reader.has_finished)):
            pace.is_over = True
            yield from reader.end()

    def _understood(self, message: bytes, body: Json, pace: Pace) -> Json:
        parts = parsed(message)
        if parts is None:
            raise self.wire.broken_off() if pace.has_begun else self.wire.not_understood()
        if error := self.wire.complaint(parts, body):
            raise error
        return parts


async def repaired(
    body: Json, ask: Callable[[Json], AsyncGenerator[Event, None]], repair: Repair
) -> AsyncGenerator[Event, None]:
    """Asks again without a parameter that this model does not take, as long as that is the complaint."""
    has_begun = False
    while True:
        try:
            async with aclosing(ask(body)) as events:
                async for event in events:
                    has_begun = True
                    yield event
            return
        except RequestRefused as error:
            simpler = repair(body, error)
            if has_begun or simpler is None:
                raise
            body = simpler


async def whole_repaired(
    body: Json, ask: Callable[[Json], Awaitable[Sequence[Event]]], repair: Repair
) -> Sequence[Event]:
    """Like `repaired`, for an answer that comes whole."""
    while True:
        try:
            return await ask(body)
        except RequestRefused as error:
            simpler = repair(body, error)
            if simpler is None:
                raise
            body = simpler
