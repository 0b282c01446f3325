"""Trying again: with growing, jittered pauses, and only while nothing of the answer has been passed on."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from app.providers.errors import ProviderError, TimedOut
from app.providers.events import Event, Retried, is_of_the_answer
from app.providers.untrusted import Json

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 20.0
"""Seconds. Who is told to wait longer is better served by the sentence that says so."""
LONGEST_WAIT = 31 * 24 * 3600.0
"""Seconds until the longest quota begins anew; whoever names a longer time names none."""


async def with_retries(
    attempt: Callable[[], AsyncGenerator[Event, None]], retries: int
) -> AsyncGenerator[Event, None]:
    """The events of the first attempt that gets as far as a token; up to `retries` more are made."""
    for retry in range(retries + 1):
        has_begun = False
        try:
            async with aclosing(attempt()) as events:
                async for event in events:
                    has_begun = has_begun or is_of_the_answer(event)
                    yield event
            return
        except ProviderError as error:
            pause = pause_before(retry, error)
            if has_begun or retry == retries or pause is None:
                raise
            retried = Retried(error)
        yield retried
        # The error knows this frame: would the frame hold the error, both were left to the garbage collector.
        del retried
        await asyncio.sleep(pause)


async def whole_with_retries(
    attempt: Callable[[], Awaitable[Sequence[Event]]], retries: int
) -> AsyncGenerator[Event, None]:
    """The events of the first attempt that brings a whole answer; up to `retries` more are made."""
    for retry in range(retries + 1):
        try:
            events = await attempt()
        except ProviderError as error:
            pause = pause_before(retry, error)
            if retry == retries or pause is None:
                raise
            retried = Retried(error)
        else:
            for event in events:
                yield event
            return
        yield retried
        # The error knows this frame: would the frame hold the error, both were left to the garbage collector.
        del retried
        await asyncio.sleep(pause)


async def asked_patiently(ask: Callable[[], Awaitable[Json]], retries: int) -> Json:
    """The answer of the first attempt that has one; up to `retries` more are made."""
    for retry in range(retries):
        try:
            return await ask()
        except ProviderError as error:
            pause = pause_before(retry, error)
            if pause is None:
                raise
        await asyncio.sleep(pause)
    return await ask()


def pause_before(
    retry: int, error: ProviderError, jitter: Callable[[], float] = random.random
) -> float | None:
    """Seconds to wait before try number `retry` + 2; None when another one makes no sense."""
    # A provider that said nothing for two minutes would be given two more, and a model load started anew.
    if not error.retryable or isinstance(error, TimedOut):
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= LONGEST_PAUSE else None
    ceiling = min(FIRST_PAUSE * float(2**retry), LONGEST_PAUSE)
    return ceiling * (0.5 + 0.5 * jitter())


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds the provider asks to wait: `retry-after-ms`, or Retry-After as seconds or as a date."""
    seconds = _seconds_in(headers, now or datetime.now(UTC))
    return seconds if seconds is not None and seconds <= LONGEST_WAIT else None


def _seconds_in(headers: Mapping[str, str], now: datetime) -> float | None:
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if (seconds := _number(value)) is not None:
        return seconds
    return _seconds_until(value, now) if value else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _seconds_until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
