"""Judges a provider's complaint: which of our errors it amounts to, said with its cause and its remedy."""

import re
from collections.abc import Sequence
from typing import Final

from app.providers.errors import (
    BrokenOff,
    ContextTooLong,
    KeyRejected,
    Misaddressed,
    ModelGone,
    NotPermitted,
    NotTheProtocol,
    OutOfCredit,
    Overloaded,
    ProviderError,
    RateLimited,
    RequestRefused,
)
from app.providers.wire import context_limits
from app.providers.wire.complaints import Complaint
from app.providers.wire.quoting import quoted

NO_CREDIT: Final = {
    "insufficient_quota",
    "billing_error",
    "billing_hard_limit_reached",
    "credit_balance_exhausted",
    "enforced_spend_limit_reached",
    "organization_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "project_spend_limit_exceeded",
}
BAD_KEY: Final = {"API_KEY_INVALID", "authentication_error", "invalid_api_key", "invalid_authentication"}
NOT_HERE: Final = {"unsupported_country_region_territory"}
NO_SUCH_MODEL: Final = {
    "model_not_found",
    "model_decommissioned",
    "model_not_available",
    "model_terms_required",
}
TOO_MANY: Final = {"rate_limit_exceeded", "rate_limit_error", "slow_down"}
OVERLOAD: Final = {
    "api_error",
    "capacity_exceeded",
    "internal_server_error",
    "overloaded_error",
    "server_error",
    "service_unavailable",
    "timeout_error",
}
MALFORMED: Final = {"invalid_request_error", "BadRequestError", "tool_use_failed"}
OVERLOAD_STATUSES: Final = {408, 409, 424, 425, 498, 499}
MISSING_MODEL = re.compile(
    r"model\b.{0,80}\b(not found|not exist|not loaded|decommissioned)|no models? loaded", re.IGNORECASE
)
NO_BALANCE = re.compile(
    r"\s*(your credit balance is too low|insufficient (credits|balance|funds))", re.IGNORECASE
)
"""How such a complaint begins. Further on it may quote what was sent."""


def error_for(complaint: Complaint, label: str, *, key: str | None, prompt: Sequence[str]) -> ProviderError:
    """The error that `complaint` amounts to. Neither the key nor a piece of the prompt is ever quoted."""
    said = quoted(complaint.message, [key or "", *prompt])
    if limit := context_limits.read(complaint.message, complaint.codes):
        return _context_too_long(limit, label)
    if _is_about_credit(complaint):
        return OutOfCredit(
            f"The account at {label} is out of credit or over its spending limit.{said}",
            f"Add credit or raise the limit at {label}, or choose another model.",
        )
    if _is_about_the_key(complaint, has_key=bool(key)):
        return _key_rejected(label, has_key=bool(key))
    # Before the status: a model that a project may not use is a 403 as well.
    if _is_about_the_model(complaint):
        return ModelGone(
            f"{label} does not offer this model (any more).{said}",
            "Choose another model, or refresh the list under Administration → Models.",
        )
    if complaint.status == 403:
        return _not_permitted(complaint, label, said)
    return _passing_failure(complaint, label, said) or _lasting_failure(complaint, label, said)


def _is_about_credit(complaint: Complaint) -> bool:
    return (
        complaint.status == 402
        or bool(complaint.codes & NO_CREDIT)
        or bool(NO_BALANCE.match(complaint.message))
    )


def _is_about_the_key(complaint: Complaint, *, has_key: bool) -> bool:
    # Never by its words: they may be the caller's, and the connection would count as failing for everybody.
    # A 403 refuses one request for its model, its content or its country: the key is well.
    wants_one = complaint.status == 403 and not has_key
    return complaint.status == 401 or wants_one or bool(complaint.codes & BAD_KEY)


def _is_about_the_model(complaint: Complaint) -> bool:
    names_a_model = complaint.status == 404 and "model" in complaint.message.lower()
    is_missing = complaint.status != 429 and bool(MISSING_MODEL.search(complaint.message))
    return names_a_model or is_missing or bool(complaint.codes & NO_SUCH_MODEL)


def _key_rejected(label: str, *, has_key: bool) -> ProviderError:
    if not has_key:
        return KeyRejected(
            f"{label} wants a key.", "An administrator can enter one under Administration → Connections."
        )
    # Not quoted: vendors like to repeat the key that they reject.
    return KeyRejected(
        f"{label} rejected the key.",
        "An administrator can replace the key under Administration → Connections.",
    )


def _not_permitted(complaint: Complaint, label: str, said: str) -> ProviderError:
    if complaint.codes & NOT_HERE:
        return NotPermitted(
            f"{label} does not serve the country or region that this server calls from.{said}",
            "Choose a model of another provider.",
        )
    if not complaint.is_json:
        return NotPermitted(
            f"Something in front of {label} does not let the request through.",
            "An administrator can check the address under Administration → Connections, and any proxy or firewall.",
        )
    return NotPermitted(
        f"{label} does not allow this request.{said}",
        "Change the message or choose another model. "
        f"If everything is refused, an administrator can check at {label} what the key may do.",
    )


def _context_too_long(limit: context_limits.Limit, label: str) -> ProviderError:
    remedy = "Start a new conversation, shorten the message, or choose a model with a larger context window."
    if limit.excess is None:
        return ContextTooLong(f"The conversation is too long for this model at {label}.", remedy)
    return ContextTooLong(
        f"The conversation is {limit.excess:,} tokens too long for this model at {label}: "
        f"{limit.asked:,} of at most {limit.allowed:,}.",
        remedy,
        excess=limit.excess,
    )


def _passing_failure(complaint: Complaint, label: str, said: str) -> ProviderError | None:
    """Failures that may be over in a moment."""
    status, wait = complaint.status, complaint.retry_after
    again = f"Try again in {wait:.0f} seconds" if wait else "Try again in a moment"
    if status == 429 or complaint.codes & TOO_MANY:
        return RateLimited(
            f"{label} receives too many requests from this account.{said}",
            f"{again}, or choose another model.",
            retry_after=wait,
        )
    is_overload = status is not None and (status >= 500 or status in OVERLOAD_STATUSES)
    if is_overload or complaint.codes & OVERLOAD:
        return Overloaded(
            f"{label} is overloaded or has a problem of its own.{said}",
            f"{again}, or choose another model.",
            retry_after=wait,
        )
    return None


def _lasting_failure(complaint: Complaint, label: str, said: str) -> ProviderError:
    status = complaint.status
    if status is not None and 300 <= status < 400:
        return Misaddressed(
            f"{label} sends requests on to another address, which Parley does not follow.",
            "Enter the final address under Administration → Connections.",
        )
    if status == 413:
        return RequestRefused(
            f"The message is too large for {label}.{said}", "Send fewer or smaller images, or less text."
        )
    if status in {404, 405} or not complaint.is_json:
        return not_the_protocol(label)
    if complaint.in_stream and not complaint.codes & MALFORMED:
        return BrokenOff(f"{label} broke off with an error.{said}", "Try again.")
    return RequestRefused(
        f"{label} refused the request.{said}",
        "Change the message or choose another model.",
        parameter=complaint.parameter,
        vendor_words=complaint.message,
    )


def not_the_protocol(label: str) -> NotTheProtocol:
    return NotTheProtocol(
        f"Something answers at the address of {label}, but not as {label} would: it may be a web page.",
        "Check the kind and the address under Administration → Connections; many servers want /v1 at its end.",
    )
