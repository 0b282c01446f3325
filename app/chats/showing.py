"""An image of a message, as pages and programs get it."""

from starlette.responses import Response

from app.chats.models import MessageImage

# Somebody else's browser never sees it: the door asks whose chat it is. What is behind an id never changes.
HEADERS = {"cache-control": "private, max-age=31536000, immutable", "content-disposition": "inline"}


def picture(image: MessageImage) -> Response:
    """The type is the one that was found in its first bytes, whatever the sender said."""
    return Response(image.data, media_type=image.media_type, headers=HEADERS)
