"""How events travel between processes: batches, cut into payloads that PostgreSQL's NOTIFY accepts.

A payload is `origin number index total text`: who sent it, its running number there, and which piece of how
many it is. Numbers show what is missing or comes twice, and keep equal payloads apart, of which PostgreSQL
would deliver one only.
"""

import json
from dataclasses import dataclass, field

from app.live.hub import Event

LONGEST_TEXT = 7_900
"""PostgreSQL takes payloads of fewer than 8,000 bytes; the rest is for what stands before the text."""

Batch = list[tuple[str, Event]]


class Missed(Exception):
    """Something that was sent did not arrive."""


def pack(origin: str, number: int, batch: Batch) -> list[str]:
    """The payloads for `batch`, the first of which is number `number`. An event may be larger than a payload."""
    # Escaped to ASCII, so that bytes are letters and the text may be cut anywhere.
    text = json.dumps(batch, ensure_ascii=True, separators=(",", ":"))
    pieces = [text[start : start + LONGEST_TEXT] for start in range(0, len(text), LONGEST_TEXT)]
    return [f"{origin} {number + index} {index} {len(pieces)} {piece}" for index, piece in enumerate(pieces)]


@dataclass
class _Sender:
    last: int
    pieces: list[str] = field(default_factory=list)


class Inbox:
    """Puts the payloads of other processes together again. Payloads of `own` are ignored: they are known."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._senders: dict[str, _Sender] = {}

    def accept(self, payload: str) -> Batch:
        """The batch that `payload` completes, or an empty one. Raises Missed when something is lacking.

        Whoever may use the database may notify anything: what is no payload of ours counts as one that was lost.
        """
        try:
            return self._completed(*_parts(payload))
        except (TypeError, ValueError, RecursionError) as error:
            raise Missed from error

    def _completed(self, origin: str, number: int, index: int, total: int, text: str) -> Batch:
        if origin == self._own:
            return []
        sender = self._senders.setdefault(origin, _Sender(number - 1))
        if number <= sender.last:
            return []
        is_next = number == sender.last + 1 and index == len(sender.pieces)
        sender.last = number
        if not is_next:
            sender.pieces.clear()
            raise Missed
        sender.pieces.append(text)
        return _joined(sender) if len(sender.pieces) == total else []


def _parts(payload: str) -> tuple[str, int, int, int, str]:
    origin, number, index, total, text = payload.split(" ", 4)
    return origin, int(number), int(index), int(total), text


def _joined(sender: _Sender) -> Batch:
    text = "".join(sender.pieces)
    sender.pieces.clear()
    batch = [(stream, event) for stream, event in json.loads(text)]
    if not all(isinstance(stream, str) and isinstance(event, dict) for stream, event in batch):
        raise ValueError("no batch of ours")
    return batch
