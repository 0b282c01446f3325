"""Without scripts only the browser's form holds what somebody wrote: when it cannot be sent, it is shown again."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.chats.forms import written_in
from app.chats.posting import KeyTaken
from app.core.database_errors import TOLD, told
from app.core.errors import NotSignedIn, ParleyError
from app.core.ids import new_id
from app.core.requests import is_htmx, wants_json
from app.core.templating import page


class KeepsWords(APIRoute):
    """A route whose refusals of the message box's form hold that form, ready to be sent again."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except (ParleyError, *TOLD) as error:
                refusal = error if isinstance(error, ParleyError) else told(error)
                if again := await _shown_again(request, refusal):
                    return again
                raise

        return answer


async def _shown_again(request: Request, refusal: ParleyError) -> Response | None:
    """None where nothing would be lost: with scripts the text is still in its box."""
    if request.method != "POST" or is_htmx(request) or wants_json(request):
        return None
    try:
        async with written_in(request) as written:
            if not written.body.strip():
                return None
            has_images = any(file.filename for file in written.files)
    except HTTPException:
        # It is no form, or more than one request may hold.
        return None
    response = page(
        request,
        "chats/unsent.html",
        status=refusal.status,
        written=written,
        # Under the key of a message that was sent before, this one would be refused for ever.
        key=new_id() if isinstance(refusal, KeyTaken) else written.key,
        has_images=has_images,
        is_signed_out=isinstance(refusal, NotSignedIn),
        is_another=isinstance(refusal, KeyTaken),
        error=refusal,
    )
    if refusal.retry_after is not None:
        response.headers["retry-after"] = str(refusal.retry_after)
    return response
