"""The few ways in which a provider fails, each with its cause and its remedy.

Adapters translate what a vendor answers into one of these; nothing above them reads a vendor's error.
Messages name neither keys nor prompts.
"""

from typing import ClassVar


class ProviderError(Exception):
    """A call of a provider failed. `cause` says what happened, `remedy` what a person can do."""

    code: ClassVar[str] = "provider_error"
    title: ClassVar[str] = "That did not work"
    """What a person reads above cause and remedy, where an answer should be."""
    word: ClassVar[str] = "Failed"
    """The same in short, of the connection."""
    retryable: ClassVar[bool] = False
    """Whether the same call may succeed a moment later."""

    def __init__(self, cause: str, remedy: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(f"{cause} {remedy}".strip())
        self.cause = cause
        self.remedy = remedy
        self.retry_after = retry_after
        """Seconds the provider asked to wait, where it said so."""


class KeyRejected(ProviderError):
    code = "key_rejected"
    title = "The provider does not accept its key"
    word = "Key rejected"


class NotPermitted(ProviderError):
    """The provider knows the key, and does not allow with it what was asked: a model, some content, this country."""

    code = "not_permitted"
    title = "The provider does not allow this"
    word = "Not allowed"


class OutOfCredit(ProviderError):
    code = "out_of_credit"
    title = "The provider's credit is used up"
    word = "Out of credit"


class ModelGone(ProviderError):
    code = "model_gone"
    title = "This model is gone"


class ContextTooLong(ProviderError):
    """`excess` is by how many tokens, where the provider said so."""

    code = "context_too_long"
    title = "Too long for this model"

    def __init__(self, cause: str, remedy: str = "", *, excess: int | None = None) -> None:
        super().__init__(cause, remedy)
        self.excess = excess


class RequestRefused(ProviderError):
    """The provider understood the request and will not serve it (parameters, content, size).

    `parameter` is the one it objects to, where it said so; `vendor_words` is all that it said. The latter is
    for adapters, which may ask in another way: it may repeat the prompt, and is never shown or logged.
    """

    code = "request_refused"
    title = "The provider refused this request"

    def __init__(
        self, cause: str, remedy: str = "", *, parameter: str | None = None, vendor_words: str = ""
    ) -> None:
        super().__init__(cause, remedy)
        self.parameter = parameter
        self.vendor_words = vendor_words


class RateLimited(ProviderError):
    code = "rate_limited"
    title = "The provider's limit is reached"
    word = "Rate limited"
    retryable = True


class Overloaded(ProviderError):
    code = "overloaded"
    title = "The provider is overloaded"
    word = "Overloaded"
    retryable = True


class NotReachable(ProviderError):
    code = "not_reachable"
    title = "The provider cannot be reached"
    word = "Not reachable"
    retryable = True


class Misaddressed(NotReachable):
    """Not reachable, and it will stay so: no such host, a certificate that is not trusted, a forbidden address."""

    retryable = False


class TimedOut(ProviderError):
    code = "timed_out"
    title = "The provider took too long"
    word = "Too slow to answer"
    retryable = True


class NotTheProtocol(ProviderError):
    """Something answered, but not in the language that was expected."""

    code = "not_the_protocol"
    title = "The provider answered in another language"
    word = "Not the expected answer"


class BrokenOff(ProviderError):
    """The stream ended, or failed, before the answer was whole."""

    code = "broken_off"
    title = "The answer broke off"
    word = "Answer broke off"
    retryable = True


BY_CODE: dict[str, type[ProviderError]] = {
    kind.code: kind
    for kind in (
        KeyRejected,
        NotPermitted,
        OutOfCredit,
        ModelGone,
        ContextTooLong,
        RequestRefused,
        RateLimited,
        Overloaded,
        NotReachable,
        TimedOut,
        NotTheProtocol,
        BrokenOff,
    )
}
"""Every code that an adapter's error may have."""
