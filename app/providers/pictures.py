"""Images as programs send them, in base64: known by their first bytes, whatever the sender calls them."""

from binascii import a2b_base64

SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
CHARACTERS_AT_ONCE = 1 << 18
"""A multiple of four. Between two pieces others get their turn, where a large request is read in a thread."""


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
