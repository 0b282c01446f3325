"""A provider that fails in every way that networks and servers know."""

import asyncio

import pytest

from app.providers import wire
from app.providers.base import Timeouts
from app.providers.errors import (
    BrokenOff,
    NotTheProtocol,
    Overloaded,
    RateLimited,
    TimedOut,
)
from app.providers.events import Retried
from app.providers.openai_compatible import OpenAICompatible
from app.providers.wire import documents
from tests.providers.fake_server import Answer, FakeServer, transcript
from tests.providers.reading import Heard, endpoint, hear, question

ANSWER, WHOLE = transcript("compatible/answer"), transcript("compatible/whole")
AS_A_STREAM = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
IMPATIENT = Timeouts(connect=1, first_token=0.2, idle=0.1)
INSIDE_THE_TEXT = ANSWER.body.index("世".encode()) + 1
"""A place in the middle of a character, after the first token."""


def provider(server: FakeServer, **more: object) -> OpenAICompatible:
    return OpenAICompatible(endpoint(f"{server.url}/v1", **more))


async def hear_until_it_fails(adapter: OpenAICompatible, error: type[Exception]) -> tuple[Heard, str]:
    """What was heard before the error, and the error's sentence."""
    heard = Heard()
    try:
        async for event in adapter.stream(question()):
            heard.take(event)
    except error as raised:
        return heard, str(raised)
    raise AssertionError("It did not fail.")


async def test_bytes_may_come_one_by_one_and_with_any_line_end(server: FakeServer):
    for body in (ANSWER.body, ANSWER.body.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + ANSWER.body):
        server.plays(ANSWER.but(body=body, chunk_size=1))

        heard = await hear(provider(server).stream(question()))

        assert heard.text == "Grüße, 世界 🌍!"
        assert heard.usage is not None


@AS_A_STREAM
async def test_a_rate_limit_is_waited_out(server: FakeServer, *, streaming: bool):
    server.plays("openai/rate_limited", "openai/rate_limited", ANSWER if streaming else WHOLE)

    heard = await hear(provider(server).stream(question(streaming=streaming)))

    assert heard.text == ("Grüße, 世界 🌍!" if streaming else "Grüße!")
    assert len(server.received) == 3
    assert [type(event) for event in heard.events[:2]] == [Retried, Retried]


@AS_A_STREAM
async def test_patience_ends_after_the_retries_that_were_allowed(server: FakeServer, *, streaming: bool):
    server.plays("openai/rate_limited")

    with pytest.raises(RateLimited) as raised:
        await hear(provider(server, retries=1).stream(question(streaming=streaming)))
    assert len(server.received) == 2
    assert raised.value.retry_after == 0.02


async def test_a_provider_that_wants_a_long_pause_is_not_waited_for(server: FakeServer):
    server.plays(transcript("openai/rate_limited").but(headers={"retry-after": "600"}))

    with pytest.raises(RateLimited, match="in 600 seconds"):
        await hear(provider(server).stream(question()))
    assert len(server.received) == 1


async def test_lists_of_models_are_asked_for_once(server: FakeServer):
    server.plays("openai/server_error")

    with pytest.raises(Overloaded):
        await provider(server).list_models()
    assert len(server.received) == 1


async def test_a_connection_lost_before_the_first_token_is_made_again(server: FakeServer):
    server.plays(ANSWER.but(breaks_at=0), ANSWER.but(breaks_at=40), ANSWER)

    heard = await hear(provider(server).stream(question()))

    assert heard.text == "Grüße, 世界 🌍!"
    assert len(server.received) == 3


async def test_a_connection_lost_later_keeps_what_was_said(server: FakeServer):
    server.plays(ANSWER.but(breaks_at=INSIDE_THE_TEXT))

    heard, said = await hear_until_it_fails(provider(server), BrokenOff)

    assert heard.text == "Grüße"
    assert "broke off before the answer was whole" in said
    assert len(server.received) == 1


async def test_an_answer_that_is_whole_stays_whole_when_only_its_cost_is_lost(server: FakeServer):
    server.plays(ANSWER.but(breaks_at=ANSWER.body.index(b"[]")))

    heard = await hear(provider(server).stream(question()))

    assert heard.text == "Grüße, 世界 🌍!"
    assert heard.reason is not None
    assert heard.usage is None


@pytest.mark.parametrize("stalls_at", [0, 5])
async def test_silence_before_the_first_token_ends(server: FakeServer, stalls_at: int):
    server.plays(ANSWER.but(stalls_at=stalls_at))

    _, said = await hear_until_it_fails(provider(server, timeouts=IMPATIENT), TimedOut)

    assert "did not begin to answer" in said
    assert "PROVIDER_FIRST_TOKEN_TIMEOUT" in said
    assert len(server.received) == 1


async def test_silence_between_tokens_ends(server: FakeServer):
    server.plays(ANSWER.but(stalls_at=INSIDE_THE_TEXT))
    patient_at_first = Timeouts(connect=1, first_token=30, idle=0.1)

    heard, said = await hear_until_it_fails(provider(server, timeouts=patient_at_first), TimedOut)

    assert heard.text == "Grüße"
    assert "fell silent in the middle of the answer for 0.1 seconds" in said


async def test_a_provider_may_open_the_stream_and_then_think_for_longer_than_it_may_pause(server: FakeServer):
    role_only = ANSWER.body.index(b"data: ", 10)
    server.plays(ANSWER.but(stalls_at=role_only))
    timeouts = Timeouts(connect=1, first_token=0.4, idle=0.05)

    _, said = await hear_until_it_fails(provider(server, timeouts=timeouts), TimedOut)

    assert "did not begin to answer" in said


async def test_an_answer_that_comes_whole_has_a_deadline_too(server: FakeServer):
    server.plays(ANSWER.but(stalls_at=0))

    with pytest.raises(TimedOut):
        await hear(provider(server, timeouts=IMPATIENT).stream(question(streaming=False)))
    with pytest.raises(TimedOut):
        await provider(server, timeouts=IMPATIENT).list_models()


async def test_who_stops_listening_ends_the_providers_work(server: FakeServer):
    server.plays(ANSWER.but(stalls_at=INSIDE_THE_TEXT))
    events = provider(server).stream(question())

    await anext(events)
    await events.aclose()

    await asyncio.wait_for(server.hung_up.wait(), 2)


async def test_connections_are_used_again(server: FakeServer):
    server.plays(ANSWER)
    await hear(provider(server).stream(question()))
    session = wire.pool.connections().session

    await hear(provider(server).stream(question()))

    assert wire.pool.connections().session is session
    assert sum(len(held) for held in session.connector._conns.values()) == 1


async def test_what_comes_after_the_end_is_not_waited_for(server: FakeServer):
    server.plays(ANSWER.but(body=ANSWER.body + b"data: {}\n\n" * 5_000, stalls_at=len(ANSWER.body) + 40_000))

    heard = await asyncio.wait_for(hear(provider(server).stream(question())), 1)

    assert heard.reason is not None


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"data: hello\n\n", b"data: [1, 2]\n\n", b"data: [DONE]\n\n", b"\x00\xff" * 50]
)
async def test_nonsense_instead_of_a_stream_is_not_the_protocol(server: FakeServer, body: bytes):
    server.plays(Answer(headers={"content-type": "text/plain"}, body=body))

    with pytest.raises(NotTheProtocol):
        await hear(provider(server).stream(question()))


async def test_a_server_that_fails_as_it_begins_is_asked_again(server: FakeServer):
    server.plays(ANSWER.but(body=b""), ANSWER.but(body=b": keep-alive\n\n"), ANSWER)

    heard = await hear(provider(server).stream(question()))

    assert heard.text == "Grüße, 世界 🌍!"
    assert len(server.received) == 3


@pytest.mark.parametrize("body", [b"", b"hello", b"{}", b"<html>"])
async def test_nonsense_instead_of_a_list_is_not_the_protocol(server: FakeServer, body: bytes):
    server.plays(Answer(body=body))

    with pytest.raises(NotTheProtocol):
        await provider(server).list_models()


async def test_a_document_without_end_is_not_collected(server: FakeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(documents, "LARGEST_DOCUMENT", 1_000)
    server.plays(Answer(body=b" " * 2_000))

    with pytest.raises(NotTheProtocol):
        await provider(server).list_models()


async def test_cookies_are_not_kept(server: FakeServer):
    server.plays(ANSWER.but(headers={**ANSWER.headers, "set-cookie": "who=alice"}))

    await hear(provider(server).stream(question()))
    await hear(provider(server).stream(question()))

    assert "cookie" not in server.received[1].headers
