"""What clients hear when providers fail, whichever languages the two speak, and what the ledger has of it."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from sqlalchemy import select

from app.catalog.models import Connection
from app.core.clock import now
from app.core.database import Database
from app.core.settings import Settings
from app.providers.wire import retrying
from app.usage.models import PriceOverride
from tests.cast import Visitor
from tests.providers.fake_server import Answer, FakeServer
from tests.v1.clients import OPENAI, Client
from tests.v1.conftest import Connect, Entries, OnlyEntry
from tests.v1.vendors import COMPATIBLE, MICROS_PER_TOKEN, PAIRS, RESPONDING, VENDORS, Vendor

RATES = MICROS_PER_TOKEN * 1_000_000
AS_A_STREAM = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
EACH = pytest.mark.parametrize(
    ("surface", "upstream"), PAIRS, ids=[f"{client.name}-{vendor.kind}" for client, vendor in PAIRS]
)


Asks = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(autouse=True)
async def connected(connect: Connect, database: Database, vendor: FakeServer) -> None:
    """A model `m` of each vendor, all at one price."""
    for each in (*VENDORS, RESPONDING):
        base_url = f"{vendor.url}/v1" if each in (COMPATIBLE, RESPONDING) else vendor.url
        await connect(each.kind, each.kind, "m", base_url=base_url)
    async with database.writing() as session:
        session.add_all(
            PriceOverride(connection=each.kind, model="m", input=RATES, output=RATES, effective_from=now())
            for each in (*VENDORS, RESPONDING)
        )


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.0)


@pytest.fixture
def asks(client: Visitor, key: str) -> Asks:
    """`await asks(OPENAI, CLAUDE, streaming=True)`: what a client gets that has Bob's key."""

    async def ask(surface: Client, upstream: Vendor, *, streaming: bool) -> httpx.Response:
        body = surface.asking(upstream.model, streaming=streaming)
        return await client.post(surface.path, json=body, headers={"authorization": f"Bearer {key}"})

    return ask


def breaks_off(client: Client, response: httpx.Response) -> str:
    """The stream began, and ends with an error and not as if it were whole; returns the error's sentence."""
    assert response.status_code == 200
    assert "Gr" in response.text or "Hello" in response.text
    assert client.end not in response.text
    return client.error_at_the_end_of(response.text)[1]


@EACH
class TestInTheMiddle:
    @pytest.mark.parametrize("fault", ["cut_short", "broken_off", "garbled"])
    async def test_the_end_is_missing(
        self,
        asks: Asks,
        vendor: FakeServer,
        surface: Client,
        upstream: Vendor,
        fault: str,
        only_entry: OnlyEntry,
    ) -> None:
        upstream.plays(vendor, getattr(upstream, fault))

        response = await asks(surface, upstream, streaming=True)

        assert "broke off" in breaks_off(surface, response)
        entry = await only_entry()
        assert (entry.outcome, entry.error_code, entry.is_estimate) == ("failed", "broken_off", True)
        assert entry.output_tokens > 0
        assert entry.cost_micros == MICROS_PER_TOKEN * (entry.input_tokens + entry.output_tokens)

    async def test_an_error_comes_in_the_stream(
        self, asks: Asks, vendor: FakeServer, surface: Client, upstream: Vendor, only_entry: OnlyEntry
    ) -> None:
        upstream.plays(vendor, upstream.complaining)

        response = await asks(surface, upstream, streaming=True)

        breaks_off(surface, response)
        entry = await only_entry()
        assert entry.outcome == "failed"
        assert entry.attempts == 1


@EACH
class TestWhole:
    @AS_A_STREAM
    async def test_it_is_counted_as_the_provider_says(
        self,
        asks: Asks,
        vendor: FakeServer,
        surface: Client,
        upstream: Vendor,
        streaming: bool,
        only_entry: OnlyEntry,
    ) -> None:
        upstream.plays(vendor, upstream.answer if streaming else upstream.whole)

        response = await asks(surface, upstream, streaming=streaming)

        assert response.status_code == 200
        assert surface.end in response.text or not streaming
        entry = await only_entry()
        assert (entry.outcome, entry.is_estimate, entry.error_code) == ("finished", False, "")
        assert entry.cost_micros == MICROS_PER_TOKEN * (entry.input_tokens + entry.output_tokens)
        if streaming:
            used = (entry.input_tokens, entry.output_tokens)
            assert used == (upstream.input_tokens, upstream.output_tokens)

    @AS_A_STREAM
    async def test_a_second_attempt_is_told_in_a_header(
        self,
        asks: Asks,
        vendor: FakeServer,
        surface: Client,
        upstream: Vendor,
        streaming: bool,
        only_entry: OnlyEntry,
    ) -> None:
        upstream.plays(vendor, "openai/rate_limited", upstream.answer if streaming else upstream.whole)

        response = await asks(surface, upstream, streaming=streaming)

        assert response.status_code == 200
        assert surface.end in response.text or not streaming
        assert response.headers["x-parley-attempts"] == "2"
        assert response.headers["x-parley-model"] == upstream.model
        assert (await only_entry()).attempts == 2

    @AS_A_STREAM
    async def test_the_providers_key_is_not_the_callers(
        self,
        asks: Asks,
        vendor: FakeServer,
        surface: Client,
        upstream: Vendor,
        streaming: bool,
        only_entry: OnlyEntry,
    ) -> None:
        upstream.plays(vendor, "openai/bad_key")

        response = await asks(surface, upstream, streaming=streaming)

        assert response.status_code == 502
        kind, sentence = surface.complaint(response.json())
        assert kind in ("key_rejected", "api_error", "")
        assert "sk-test" not in sentence
        assert "www-authenticate" not in response.headers
        assert response.headers["x-should-retry"] == "false"
        entry = await only_entry()
        assert (entry.outcome, entry.error_code, entry.cost_micros) == ("failed", "key_rejected", 0)

    async def test_what_a_caller_wrote_never_speaks_for_the_providers_key(
        self,
        asks: Asks,
        vendor: FakeServer,
        surface: Client,
        upstream: Vendor,
        entries: Entries,
        database: Database,
    ) -> None:
        upstream.plays(vendor, "openai/quotes_about_keys")

        response = await asks(surface, upstream, streaming=False)

        assert response.status_code == 400
        [entry] = await entries()
        assert entry.error_code == "request_refused"
        async with database.reading() as session:
            assert set(await session.scalars(select(Connection.last_error_code))) == {""}

    @AS_A_STREAM
    async def test_a_page_of_html_is_no_answer(
        self,
        asks: Asks,
        vendor: FakeServer,
        surface: Client,
        upstream: Vendor,
        streaming: bool,
        only_entry: OnlyEntry,
    ) -> None:
        upstream.plays(vendor, Answer(200, {"content-type": "text/html"}, b"<html>Welcome</html>"))

        response = await asks(surface, upstream, streaming=streaming)

        assert response.status_code == 502
        assert surface.complaint(response.json())[1]
        assert "Welcome" not in response.text
        assert (await only_entry()).cost_micros == 0


class TestSilence:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        quick = {"provider_first_token_timeout": 1.5, "provider_idle_timeout": 1.0, "provider_retries": 0}
        return settings.model_copy(update=quick)

    @EACH
    async def test_in_the_middle_it_ends_with_an_error(
        self, asks: Asks, vendor: FakeServer, surface: Client, upstream: Vendor, only_entry: OnlyEntry
    ) -> None:
        upstream.plays(vendor, upstream.stalling)

        response = await asks(surface, upstream, streaming=True)

        breaks_off(surface, response)
        assert (await only_entry()).error_code == "timed_out"

    @AS_A_STREAM
    async def test_before_the_first_word_it_is_a_status(
        self, asks: Asks, vendor: FakeServer, streaming: bool, only_entry: OnlyEntry
    ) -> None:
        COMPATIBLE.plays(vendor, COMPATIBLE.answer.but(stalls_at=0))

        response = await asks(OPENAI, COMPATIBLE, streaming=streaming)

        assert response.status_code == 504
        assert OPENAI.complaint(response.json())[0] == "timed_out"
        entry = await only_entry()
        assert (entry.error_code, entry.output_tokens, entry.cost_micros) == ("timed_out", 0, 0)
