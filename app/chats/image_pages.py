"""Images of messages, for pages and for programs: one door under two addresses."""

from fastapi import APIRouter
from fastapi.responses import Response

from app.accounts.access import Scope, needs
from app.chats.access import CurrentMessage
from app.chats.images import image_of
from app.core.database import Session

router = APIRouter(tags=["Conversations"])

PLACE = "/chats/{chat_id}/messages/{message_id}/images/{image_id}"
# The door asks whose chat it is, each browser for itself. What is behind an id never changes.
HEADERS = {"cache-control": "private, max-age=31536000, immutable", "content-disposition": "inline"}


@router.get(PLACE, include_in_schema=False)
@router.get(
    f"/api{PLACE}",
    dependencies=[needs(Scope.CHAT)],
    response_class=Response,
    responses={200: {"description": "The image itself.", "content": {"image/*": {}}}},
)
async def read_image(message: CurrentMessage, session: Session, image_id: str) -> Response:
    """An image that belongs to a question."""
    image = await image_of(session, message, image_id)
    # The type that was found in its first bytes, whatever the sender said.
    return Response(image.data, media_type=image.media_type, headers=HEADERS)
