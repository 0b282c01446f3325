"""How large an image claims to be stands in its head, wherever its kind keeps it."""

import struct

import pytest

from app.providers.pictures import LARGEST_JPEG, MOST_PARTS, dimensions_of


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height)


def jpeg(width: int, height: int, before: bytes = b"") -> bytes:
    return b"\xff\xd8" + before + b"\xff\xc2\x00\x11\x08" + struct.pack(">HH", height, width) + bytes(12)


def webp(kind: bytes, head: bytes) -> bytes:
    return b"RIFF\x00\x00\x00\x00WEBP" + kind + b"\x00\x00\x00\x00" + head


def canvas(width: int, height: int) -> bytes:
    """A WebP with more than one part."""
    sides = ((side - 1).to_bytes(3, "little") for side in (width, height))
    return webp(b"VP8X", bytes(4) + b"".join(sides))


THUMBNAIL = b"\xff\xe1" + struct.pack(">H", 2 + len(jpeg(160, 120))) + jpeg(160, 120)

COMMENT = b"\xff\xfe\x00\x20" + b"______" + png(1, 1)[12:24] + bytes(12)
"""What would be the size of a PNG stands in it, in the same place."""


@pytest.mark.parametrize(
    "content",
    [
        png(1200, 801),
        jpeg(1200, 801),
        jpeg(1200, 801, before=THUMBNAIL),
        jpeg(1200, 801, before=COMMENT),
        jpeg(1200, 801, before=b"\xff\xff\xff\xdb\x00\x04ab"),
        jpeg(1200, 801, before=b"\xff\xfe\x00\x02what decoders skip\xff\x00"),
        canvas(1200, 801),
        webp(b"VP8L", b"\x2f" + struct.pack("<I", 1199 | 800 << 14)),
        webp(b"VP8 ", b"\x30\x01\x00\x9d\x01\x2a" + struct.pack("<HH", 1200, 801)),
    ],
)
def test_each_kind_says_how_large_it_is(content: bytes) -> None:
    assert dimensions_of(content) == (1200, 801)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0 no more",
        b"\xff\xd8\xff\xda" + jpeg(9, 9),
        webp(b"VP8 ", b"no frame"),
        b"GIF89a\x09\x00\x09\x00",
    ],
)
def test_a_head_that_says_nothing_claims_nothing(content: bytes) -> None:
    assert dimensions_of(content) is None


@pytest.mark.parametrize("end", [b"", b"\x00"])
def test_millions_of_bytes_that_begin_nothing_are_no_work(end: bytes) -> None:
    assert dimensions_of(b"\xff\xd8" + b"\xff" * 5_000_000 + end) is None


def test_a_size_behind_thousands_of_parts_counts_as_the_largest() -> None:
    empty_parts = b"\xff\xfe\x00\x02" * MOST_PARTS

    assert dimensions_of(jpeg(10, 10, before=empty_parts)) == (LARGEST_JPEG, LARGEST_JPEG)
