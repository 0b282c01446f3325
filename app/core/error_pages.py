"""Renders every error once: a page for a browser, a fragment for htmx, JSON for a program."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.core.database_errors import TOLD, told
from app.core.errors import Invalid, NotFound, NotSignedIn, ParleyError, unforeseen
from app.core.requests import Refuse, is_htmx, local_path, wants_json
from app.core.templating import page


class MethodNotAllowed(ParleyError):
    status = 405
    code = "method_not_allowed"
    title = "That cannot be done here"


def install(app: FastAPI, refuse: Refuse) -> None:
    """`refuse` makes the response to a request that failed; whatever fails becomes an error of ours first."""

    def answer(kind: type[Exception], known: Callable[[Any], ParleyError]) -> None:
        async def handle(request: Request, error: Exception) -> Response:
            return refuse(request, known(error))

        app.add_exception_handler(kind, handle)

    async def refuse_address(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  (what it is registered for)
        response = refuse(request, _of_an_address(error))
        response.status_code = error.status_code
        # What the status promises: 405 comes with `Allow`.
        response.headers.update(error.headers or {})
        return response

    app.add_exception_handler(HTTPException, refuse_address)
    answer(ParleyError, lambda error: error)
    answer(RequestValidationError, _misread)
    for kind in TOLD:
        answer(kind, told)
    answer(Exception, unforeseen)


def render_error(request: Request, error: ParleyError) -> Response:
    """The response that tells the caller about `error`, in the caller's own language."""
    headers = {"retry-after": str(error.retry_after)} if error.retry_after is not None else {}
    if wants_json(request):
        if error.status == 401:
            headers["www-authenticate"] = 'Bearer realm="Parley"'
        return JSONResponse({"error": _as_json(error)}, status_code=error.status, headers=headers)
    if isinstance(error, NotSignedIn):
        return _to_sign_in(request)
    template = "errors/_notice.html" if is_htmx(request) else "errors/page.html"
    response = page(request, template, error=error)
    response.headers.update(headers)
    if is_htmx(request):
        response.headers.update({"hx-retarget": "#toasts", "hx-reswap": "beforeend"})
    return response


def _as_json(error: ParleyError) -> dict[str, object]:
    field = {"field": error.field} if isinstance(error, Invalid) and error.field else {}
    return {"code": error.code, "message": error.message, **field}


def _to_sign_in(request: Request) -> Response:
    """To the page for signing in, which leads back to where the person was."""
    back = local_path(_where_one_was(request))
    address = f"/login?{urlencode({'next': back})}" if back and back != "/" else "/login"
    if is_htmx(request):
        return Response(status_code=204, headers={"hx-redirect": address})
    return RedirectResponse(address, status_code=303)


def _where_one_was(request: Request) -> str:
    """The page that is being asked for; or the page on which a form or a fragment was asked for."""
    if request.method == "GET" and not is_htmx(request):
        return quote(request.scope["path"]) + (f"?{request.url.query}" if request.url.query else "")
    return _path_and_query(request.headers.get("hx-current-url") or request.headers.get("referer", ""))


def _path_and_query(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _of_an_address(error: HTTPException) -> ParleyError:
    if error.status_code == 404:
        return NotFound()
    if error.status_code == 405:
        return MethodNotAllowed("This address does not do that.")
    return Invalid(str(error.detail))


def _misread(error: RequestValidationError) -> ParleyError:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:]) or None
    # pydantic's own sentence, without the value that was sent: it may be a password.
    message = f"{field}: {first['msg']}." if field else f"{first['msg']}."
    return Invalid(message, field=field)
