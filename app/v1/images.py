"""Images that clients send as base64: known by their first bytes, whatever the client calls them."""

from binascii import Error, a2b_base64

from app.providers.base import Image
from app.v1.surface import BadRequest

SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
DATA_URL = "data:"
CHARACTERS_AT_ONCE = 1 << 18
"""A multiple of four. Between two pieces others get their turn, where a large request is read in a thread."""


def image_from_base64(data: str, parameter: str) -> Image:
    """The image in `data`. Raises BadRequest, which names `parameter`, when there is none that models read."""
    try:
        content = _decoded(data)
    except (Error, ValueError) as error:
        raise BadRequest(f"{parameter}: this is not base64. Encode the image's bytes.", parameter) from error
    media_type = _media_type_of(content)
    if media_type is None:
        raise BadRequest(f"{parameter}: an image must be a PNG, a JPEG, a WebP or a GIF.", parameter)
    return Image(media_type, content, encoded=data)


def image_from_url(url: str, parameter: str) -> Image:
    """The image in a `data:` URL. Others are refused: this server fetches nothing that a client names."""
    head, comma, data = url.partition(",")
    if head.startswith(DATA_URL) and head.endswith(";base64") and comma:
        return image_from_base64(data, parameter)
    raise BadRequest(
        f"{parameter}: images are not fetched from elsewhere. Send the image itself as base64.", parameter
    )


def _decoded(data: str) -> bytes:
    starts = range(0, len(data), CHARACTERS_AT_ONCE)
    return b"".join(
        a2b_base64(data[start : start + CHARACTERS_AT_ONCE], strict_mode=True) for start in starts
    )


def _media_type_of(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((name for signature, name in SIGNATURES if content.startswith(signature)), None)
