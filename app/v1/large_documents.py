"""Reads JSON that holds very long texts, such as images in base64, a piece at a time.

A parser keeps the whole process waiting until it is through. So what is long and plain is cut out before, which takes
next to no time, and put back where it was.
"""

import secrets
from collections.abc import Iterator
from contextlib import suppress

import orjson

LONG = 100_000
"""Characters of a text that is worth cutting out."""
BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"
BEGINNINGS = b":;,."
"""What stands before base64 in a `data:` URL, besides letters."""
MARK = secrets.token_hex(16)
"""Stands for what was cut out; nobody else can know it."""


def loads(body: bytes) -> object:
    """What `orjson.loads` reads, and raises."""
    places = list(_long_texts(body))
    if not places:
        return orjson.loads(body)
    pieces, texts, end = [], {}, 0
    for number, (start, stop) in enumerate(places):
        texts[f"{MARK}{number}"] = body[start:stop].decode("ascii")
        pieces += [body[end:start], f"{MARK}{number}".encode()]
        end = stop
    with suppress(orjson.JSONDecodeError):
        document: object = orjson.loads(b"".join((*pieces, body[end:])))
        _put_back(document, texts)
        if not texts:
            return document
    # What was cut out was a part of a longer text, or none.
    return orjson.loads(body)


def _long_texts(body: bytes) -> Iterator[tuple[int, int]]:
    """Where those are that stand between two quotes and need no reading."""
    start = 0
    while start + LONG < len(body):
        # From the last quote that is near enough: nothing between the others is long.
        quote = body.rfind(b'"', start, start + LONG)
        if quote >= 0:
            start = quote + 1
            continue
        stop = body.find(b'"', start + LONG)
        if stop < 0:
            return
        if _is_plain(body[start:stop]):
            yield start, stop
        start = stop + 1


def _is_plain(text: bytes) -> bool:
    return not text.translate(None, BASE64 + BEGINNINGS)


def _put_back(document: object, texts: dict[str, str]) -> None:
    """Take from `texts` what stands in for them in the document."""
    to_visit = [document]
    while to_visit and texts:
        place = to_visit.pop()
        inner = (
            place.items() if isinstance(place, dict) else enumerate(place) if isinstance(place, list) else ()
        )
        for name, value in inner:
            if isinstance(value, str):
                if value in texts:
                    place[name] = texts.pop(value)  # type: ignore[index]
            elif isinstance(value, dict | list):
                to_visit.append(value)
