"""Images are known by their bytes, however large they are and whatever they are called."""

from base64 import b64encode

import pytest

from app.providers.base import Image
from app.providers.pictures import CHARACTERS_AT_ONCE
from app.v1.images import image_from_base64, image_from_url
from app.v1.surface import BadRequest

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
def test_each_kind_is_known_by_its_first_bytes(content: bytes, media_type: str) -> None:
    assert image_from_base64(b64encode(content).decode(), "image") == Image(media_type, content)
    assert image_from_url(f"data:image/any;base64,{b64encode(content).decode()}", "url").data == content


def test_a_large_image_is_whole() -> None:
    content = PNG + bytes(range(256)) * (CHARACTERS_AT_ONCE // 100)

    assert image_from_base64(b64encode(content).decode(), "image").data == content


@pytest.mark.parametrize("data", ["", "AAAA", "%%%%", "QUJ", "ÄÖÜß", "iVBORw0KGgo= "])
def test_anything_else_is_refused(data: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        image_from_base64(data, "messages.0")

    assert refusal.value.parameter == "messages.0"


@pytest.mark.parametrize(
    "url", ["https://example.org/cat.png", "file:///etc/passwd", "data:image/png,abc", "data:"]
)
def test_nothing_is_fetched(url: str) -> None:
    with pytest.raises(BadRequest, match="not fetched"):
        image_from_url(url, "url")
