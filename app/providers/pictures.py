"""Images as programs send them, in base64: known by their first bytes, whatever the sender calls them."""

import re
from binascii import a2b_base64
from typing import Literal

SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
CHARACTERS_AT_ONCE = 1 << 18
"""A multiple of four. Between two pieces others get their turn, where a large request is read in a thread."""
MARKER = re.compile(rb"\xff([^\x00\xff])")
"""What begins a part of a JPEG; decoders skip whatever else stands between two parts."""
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Parts that begin with how large it is."""
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
END_OF_HEAD = frozenset({0xD9, 0xDA})
"""Then the picture itself comes, or nothing."""
MOST_PARTS = 4_096
LARGEST_JPEG = 65_535


def decoded(data: str) -> bytes:
    """The bytes. Raises ValueError when it is not base64."""
    starts = range(0, len(data), CHARACTERS_AT_ONCE)
    return b"".join(
        a2b_base64(data[start : start + CHARACTERS_AT_ONCE], strict_mode=True) for start in starts
    )


def media_type_of(content: bytes) -> str | None:
    """`image/png`, `image/jpeg`, `image/webp` or `image/gif`; None for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((name for signature, name in SIGNATURES if content.startswith(signature)), None)


def dimensions_of(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, as a PNG, JPEG or WebP claims to have them; None where its head does not say."""
    match media_type_of(content):
        case "image/png" if content[12:16] == b"IHDR":
            return _number(content[16:20], "big"), _number(content[20:24], "big")
        case "image/webp":
            return _dimensions_of_webp(content)
        case "image/jpeg":
            return _dimensions_of_jpeg(content)
        case _:
            return None


def _dimensions_of_webp(content: bytes) -> tuple[int, int] | None:
    match content[12:16]:
        case b"VP8X":
            return 1 + _number(content[24:27]), 1 + _number(content[27:30])
        case b"VP8L":
            both = _number(content[21:25])
            return 1 + (both & 0x3FFF), 1 + (both >> 14 & 0x3FFF)
        case b"VP8 " if content[23:26] == b"\x9d\x01\x2a":
            return _number(content[26:28]) & 0x3FFF, _number(content[28:30]) & 0x3FFF
        case _:
            return None


def _dimensions_of_jpeg(content: bytes) -> tuple[int, int] | None:
    place = 0
    for _ in range(MOST_PARTS):
        marker = MARKER.search(content, place)
        if marker is None or (kind := marker[1][0]) in END_OF_HEAD:
            return None
        place = marker.end()
        if kind in FRAMES:
            return _number(content[place + 5 : place + 7], "big"), _number(
                content[place + 3 : place + 5], "big"
            )
        if kind not in WITHOUT_LENGTH:
            place += _number(content[place : place + 2], "big")
    # Nobody needs so many parts but who wants to hide how large it is.
    return LARGEST_JPEG, LARGEST_JPEG


def _number(digits: bytes, order: Literal["little", "big"] = "little") -> int:
    return int.from_bytes(digits, order)
