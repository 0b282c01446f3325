"""What no door answers, because it was refused before one or there is none, is said in the caller's words all the same."""

from fastapi import Request
from starlette.responses import Response

from app.core.error_pages import render_error
from app.core.errors import ParleyError
from app.v1.anthropic import failures as anthropic
from app.v1.ollama import surfaces as ollama
from app.v1.openai import errors as openai
from app.v1.speaking import refusal
from app.v1.surface import Failure, Json


def refuse(request: Request, error: ParleyError) -> Response:
    """The response that tells the caller about `error`: at a vendor's addresses as its own service would."""
    path = request.scope["path"]
    if path.startswith("/ollama/"):
        return refusal(error, ollama.envelope)
    if path.startswith("/v1/messages"):
        return refusal(error, anthropic.envelope)
    if path.startswith("/v1/"):
        return refusal(error, lambda failure: in_the_callers_words(request, failure))
    return render_error(request, error)


def in_the_callers_words(request: Request, failure: Failure) -> Json:
    """At addresses that OpenAI and Anthropic both have."""
    say = anthropic.envelope if speaks_anthropic(request) else openai.envelope
    return say(failure)


def speaks_anthropic(request: Request) -> bool:
    """Anthropic's clients say so with each request."""
    return "anthropic-version" in request.headers
