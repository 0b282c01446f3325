"""The few ways in which a provider fails, each with its cause and its remedy.

Adapters translate what a vendor answers into one of these; nothing above them reads a vendor's error.
Messages name neither keys nor prompts.
"""

from typing import ClassVar


class ProviderError(Exception):
    """A call of a provider failed. `cause` says what happened, `remedy` what a person can do."""

    code: ClassVar[str] = "provider_error"
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


class OutOfCredit(ProviderError):
    code = "out_of_credit"


class ModelGone(ProviderError):
    code = "model_gone"


class ContextTooLong(ProviderError):
    """`excess` is by how many tokens, where the provider said so."""

    code = "context_too_long"

    def __init__(self, cause: str, remedy: str = "", *, excess: int | None = None) -> None:
        super().__init__(cause, remedy)
        self.excess = excess


class RequestRefused(ProviderError):
    """The provider understood the request and will not serve it (parameters, content, size).

    `parameter` is the one it objects to, where it said so; `vendor_words` is all that it said. The latter is
    for adapters, which may ask in another way: it may repeat the prompt, and is never shown or logged.
    """

    code = "request_refused"

    def __init__(
        self, cause: str, remedy: str = "", *, parameter: str | None = None, vendor_words: str = ""
    ) -> None:
        super().__init__(cause, remedy)
        self.parameter = parameter
        self.vendor_words = vendor_words


class RateLimited(ProviderError):
    code = "rate_limited"
    retryable = True


class Overloaded(ProviderError):
    code = "overloaded"
    retryable = True


class NotReachable(ProviderError):
    code = "not_reachable"
    retryable = True


class Misaddressed(NotReachable):
    """Not reachable, and it will stay so: no such host, a certificate that is not trusted, a forbidden address."""

    retryable = False


class TimedOut(ProviderError):
    code = "timed_out"
    retryable = True


class NotTheProtocol(ProviderError):
    """Something answered, but not in the language that was expected."""

    code = "not_the_protocol"


class BrokenOff(ProviderError):
    """The stream ended, or failed, before the answer was whole."""

    code = "broken_off"
    retryable = True
