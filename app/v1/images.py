"""Images that clients send as base64: known by their first bytes, whatever the client calls them."""

from app.providers.base import Image
from app.providers.pictures import decoded, media_type_of
from app.v1.surface import BadRequest

DATA_URL = "data:"


def image_from_base64(data: str, parameter: str) -> Image:
    """The image in `data`. Raises BadRequest, which names `parameter`, when there is none that models read."""
    try:
        content = decoded(data)
    except ValueError as error:
        raise BadRequest(f"{parameter}: this is not base64. Encode the image's bytes.", parameter) from error
    media_type = media_type_of(content)
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
