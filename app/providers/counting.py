"""Tokens that a vendor counts itself, before it is asked anything."""

from typing import Protocol, runtime_checkable

from app.providers.base import Request


@runtime_checkable
class CountsTokens(Protocol):
    """A vendor that tells how much a request in its own language is, before it is asked, and free of charge."""

    async def count_tokens(self, request: Request) -> int | None:
        """Of the request's passage; None where nobody can tell."""
        ...
