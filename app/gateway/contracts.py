"""What one model is asked for, under what, and what is entered of it."""

from datetime import datetime

from app.catalog.access import FoundModel
from app.catalog.health import Sign
from app.gateway.circuit import ABOUT_THE_REQUEST
from app.gateway.metering import Meter, Receipt
from app.gateway.spending import Purpose
from app.providers.base import Provider, Request
from app.providers.errors import RequestRefused
from app.providers.passage import FIELDS, PASSED_WHOLE, Passage
from app.providers.unsupported import in_any_language
from app.usage.ledger import Entry
from app.usage.pricing import Price
from app.usage.reservations import Hold
from app.values import value


@value
class Call:
    """Who asks for what; the request's model is a full name, an alias, or a model's own name where it is unique.

    `origin`: what for, `chat:<id>` or `api`.
    """

    user_id: str
    request: Request
    origin: str
    api_key_id: str | None = None
    """The personal key that was used to ask, if one was."""
    claim: str = ""
    """What of the caller's keeps an account of the call, such as a reply's id.

    The caller then enters the completion's `settlement` into the books, together with rows of its own.
    """
    allowed_models: frozenset[str] = frozenset()
    """Full names or aliases that the key is kept to; empty: everything that the person may use."""


@value
class Contract:
    """Under what one call is made: its model, the price that holds while it lasts, who pays, and what limits it."""

    model: FoundModel
    price: Price | None
    purpose: Purpose


def asked_of(model: FoundModel, request: Request, *, at_usual_price: bool = False) -> Request:
    """The request as the model's provider is asked."""
    return request.but(
        model=model.name,
        max_output_tokens=_output_limit(request, model),
        context_window=model.context_window,
        at_usual_price=at_usual_price,
    )


def sayable(
    provider: Provider, request: Request, *, is_limited: bool = False, allows_billed_tools: bool = False
) -> Request:
    """The request for this provider, which may not speak the client's language. Raises RequestRefused."""
    if request.passage is not None and request.passage.dialect in provider.dialects:
        if not allows_billed_tools:
            _refuse_what_is_billed_apart(request.passage)
        _refuse_what_is_not_passed_on(request, request.passage, is_limited=is_limited)
        return request
    return in_any_language(request)


def _refuse_what_is_not_passed_on(request: Request, passage: Passage, *, is_limited: bool) -> None:
    """Fields nobody knows, which a lenient client does without; and what a limit cannot count beforehand, such as
    tools that the vendor runs itself."""
    for name in request.beyond:
        if name in FIELDS[passage.dialect]:
            continue
        is_the_vendors = "." in name and passage.dialect in PASSED_WHOLE
        if not is_the_vendors and not request.is_lenient:
            raise RequestRefused(
                f"`{name}` is not passed on to providers.",
                "Leave it out, or send the header x-parley-drop-unsupported: true.",
                parameter=name,
            )
        if is_the_vendors and is_limited:
            raise _of_unknown_cost(name)
    if is_limited and (place := passage.works_unasked):
        raise _of_unknown_cost(place)


def _of_unknown_cost(name: str) -> RequestRefused:
    return RequestRefused(
        f"What `{name}` costs is not known beforehand, and a hard limit concerns this call.",
        "Leave it out, or ask an administrator for a budget that only warns.",
        parameter=name,
    )


def _refuse_what_is_billed_apart(passage: Passage) -> None:
    """The ledger would say less than was paid."""
    if name := passage.billed_apart:
        raise RequestRefused(
            f"`{name}` is a tool that the provider may run itself and bill apart, which cannot be counted here.",
            "Leave it out, or ask whoever runs this server to allow such tools (ALLOW_BILLED_TOOLS).",
            parameter=name,
        )


def refuse_blind(model: FoundModel, request: Request) -> None:
    """Raises RequestRefused where there are images that the model is known not to see."""
    if model.vision is False and any(turn.all_images for turn in request.turns):
        raise RequestRefused(
            f"{model.full_name} cannot see images.", "Choose a model that can, or leave the images out."
        )


def _output_limit(request: Request, model: FoundModel) -> int | None:
    """At most what the model can write. Without a wish nothing is asked for: some vendors count a wish as
    use, and refuse what would exceed a minute's allowance."""
    if request.max_output_tokens is None or model.max_output_tokens is None:
        return request.max_output_tokens
    return min(request.max_output_tokens, model.max_output_tokens)


def entry_of(call: Call, contract: Contract, hold: Hold, receipt: Receipt) -> Entry:
    model, usage = contract.model, receipt.usage
    return Entry(
        id=hold.call_id,
        # When it began: it counts to the period in which it was allowed.
        at=contract.purpose.at,
        user_id=call.user_id,
        connection=model.connection,
        model=model.name,
        origin=call.origin,
        input_tokens=usage.input,
        output_tokens=usage.output,
        is_estimate=receipt.is_estimate,
        outcome=receipt.outcome,
        total_ms=receipt.total_ms,
        first_token_ms=receipt.first_token_ms,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        reasoning_tokens=usage.reasoning,
        error_code=receipt.error_code,
        group_id=contract.purpose.payer.group_id,
        api_key_id=call.api_key_id,
        cost_micros=receipt.charge.micros,
        price_source=receipt.charge.source,
        price=receipt.charge.rates,
        attempts=receipt.attempts,
    )


def sign_of(model: FoundModel, meter: Meter, at: datetime) -> Sign | None:
    error = meter.error
    if error is None:
        return Sign(model.target, at) if meter.got_through else None
    return None if isinstance(error, ABOUT_THE_REQUEST) else Sign(model.target, at, error)
