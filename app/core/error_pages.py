"""Renders every error once: a page for a browser, a fragment for htmx, JSON for a program."""

from urllib.parse import quote, urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.core.database_errors import TOLD, told
from app.core.errors import Invalid, NotFound, NotSignedIn, ParleyError, unforeseen
from app.core.requests import is_htmx, local_path, wants_json
from app.core.templating import page


class MethodNotAllowed(ParleyError):
    status = 405
    code = "method_not_allowed"
    title = "That cannot be done here"


def install(app: FastAPI) -> None:
    app.add_exception_handler(ParleyError, _on_parley_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    for kind in TOLD:
        app.add_exception_handler(kind, _on_database_error)
    app.add_exception_handler(Exception, _on_unforeseen)


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
    response = page(request, template, status=error.status, error=error)
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


async def _on_parley_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ParleyError)  # noqa: S101  (what it was registered for)
    return render_error(request, error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 404:
        return render_error(request, NotFound())
    known = (
        MethodNotAllowed("This address does not do that.")
        if error.status_code == 405
        else Invalid(str(error.detail))
    )
    response = render_error(request, known)
    response.status_code = error.status_code
    # What the status promises: 405 comes with `Allow`.
    response.headers.update(error.headers or {})
    return response


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:]) or None
    # pydantic's own sentence, without the value that was sent: it may be a password.
    message = f"{field}: {first['msg']}." if field else f"{first['msg']}."
    return render_error(request, Invalid(message, field=field))


async def _on_database_error(request: Request, error: Exception) -> Response:
    return render_error(request, told(error))


async def _on_unforeseen(request: Request, error: Exception) -> Response:
    return render_error(request, unforeseen(error))
