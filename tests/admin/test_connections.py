"""Connections at their doors: added, tested, changed and removed by administrators, and by nobody else."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from sqlalchemy import select

from app.accounts.models import AuditEvent
from app.catalog.models import Connection, Model
from app.core.database import Database
from app.core.settings import Settings
from tests.cast import HTMX, Cast, Visitor
from tests.catalog.vendor import GOOD_KEY, OTHER_KEY, Vendor, vendor  # noqa: F401  (a fixture)
from tests.waiting import until

COMPATIBLE = "openai-compatible"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody waits long here, and no server of this machine is found by accident."""
    quick = {"provider_first_token_timeout": 2.0, "provider_idle_timeout": 2.0, "provider_retries": 0}
    nowhere = {"ollama_base_url": "http://127.0.0.1:9", "lmstudio_base_url": "http://127.0.0.1:9"}
    return settings.model_copy(update=quick | nowhere)


async def connect(cast: Cast, database: Database, **form: str) -> Connection:
    """Alice adds a connection through the door; returns when its list of models was asked for."""
    response = await cast.alice.client.post("/admin/connections", data={"kind": COMPATIBLE, **form})
    assert response.status_code == 303, response.text
    return await heard_of(database)


async def heard_of(database: Database) -> Connection:
    """The newest connection, once its provider answered or failed."""

    async def newest() -> Connection | None:
        async with database.reading() as session:
            found = await session.scalar(select(Connection).order_by(Connection.id.desc()))
        return found if found is not None and (found.last_success_at or found.last_error_at) else None

    return await until(newest)


async def names_of_models(database: Database) -> dict[str, bool]:
    async with database.reading() as session:
        return {model.name: model.is_enabled for model in await session.scalars(select(Model))}


async def test_echo_is_connected_with_one_click(cast: Cast, database: Database) -> None:
    connection = await connect(cast, database, kind="echo")

    page = await cast.alice.client.get("/admin/connections")

    assert connection.name == "echo"
    assert "It is no AI" in page.text
    assert "3 of 3 ticked" in page.text


async def test_a_new_connection_lists_its_models_with_sensible_ones_ticked(
    cast: Cast,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    connection = await connect(cast, database, label="Workshop GPU", base_url=vendor.url, key=GOOD_KEY)

    assert connection.name == "workshop-gpu"
    assert await names_of_models(database) == {
        "gpt-large": True,
        "gpt-small": True,
        "text-embedding-big": False,
    }
    card = await cast.alice.client.get(f"/admin/connections/{connection.id}/card", headers=HTMX)
    assert "Online" in card.text
    assert "2 of 3 ticked" in card.text


async def test_a_key_is_never_seen_again(
    cast: Cast,
    database: Database,
    vendor: Vendor,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    vendor.keys.clear()
    connection = await connect(cast, database, base_url=vendor.url, key=GOOD_KEY)
    assert vendor.keys_seen == [GOOD_KEY], "the key did travel to the provider"
    assert connection.last_error_code == "key_rejected"
    assert GOOD_KEY not in f"{connection.last_error} {connection.last_remedy} {connection.encrypted_key}"

    address = f"/admin/connections/{connection.id}"
    pages = [
        "/admin/connections",
        address,
        f"{address}/card",
        f"{address}/removal",
        "/admin/models",
        "/admin/audit",
    ]
    for page in [*pages, "/setup/provider", "/setup/models", "/api/models"]:
        assert GOOD_KEY not in (await cast.alice.client.get(page)).text, page
    form = {"label": "Mine", "base_url": vendor.url, "key": f"{GOOD_KEY} and more"}
    refused = await cast.alice.client.post(address, data=form)
    assert refused.status_code == 422
    assert GOOD_KEY not in refused.text
    output = capfd.readouterr()
    assert GOOD_KEY not in caplog.text + output.out + output.err
    assert GOOD_KEY[-4:] in (await cast.alice.client.get(address)).text, "only its end is shown"


async def test_nothing_of_a_short_key_is_shown(
    cast: Cast,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    connection = await connect(cast, database, base_url=vendor.url, key="abc-1234")

    page = await cast.alice.client.get(f"/admin/connections/{connection.id}")

    assert "1234" not in page.text
    assert "••••" in page.text


async def test_a_failed_refresh_keeps_the_list_and_says_why(
    cast: Cast,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    connection = await connect(cast, database, base_url=vendor.url, key=GOOD_KEY)
    before = await names_of_models(database)
    assert len(before) == 3

    for mood, word in (("lying", "Not the expected answer"), ("silent", "Too slow to answer")):
        vendor.mood = mood
        response = await cast.alice.client.post(f"/admin/connections/{connection.id}/refreshes", headers=HTMX)

        assert word in response.text
        assert "list kept from" in response.text
        assert await names_of_models(database) == before


async def test_a_ticked_model_that_is_gone_stays_with_its_reason(
    cast: Cast,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    connection = await connect(cast, database, base_url=vendor.url, key=GOOD_KEY)
    refresh = f"/admin/models/{connection.id}/refreshes"
    vendor.models = ["gpt-small", "gpt-new"]

    gone = await cast.alice.client.post(refresh, headers=HTMX)
    assert "Gone since" in gone.text
    assert await names_of_models(database) == {"gpt-large": True, "gpt-small": True, "gpt-new": False}

    vendor.models = ["gpt-large", "gpt-small"]
    back = await cast.alice.client.post(refresh, headers=HTMX)
    assert "Gone since" not in back.text
    assert await names_of_models(database) == {"gpt-large": True, "gpt-small": True}


async def test_a_connection_is_switched_off_and_on(cast: Cast, database: Database) -> None:
    connection = await connect(cast, database, kind="echo")
    address = f"/admin/connections/{connection.id}/activity"
    assert len(await usable(cast.bob.client)) == 3

    off = await cast.alice.client.post(address, headers=HTMX)
    assert 'light--off">Off<' in off.text
    assert await usable(cast.bob.client) == []

    await cast.alice.client.post(address, data={"active": "on"})
    assert len(await usable(cast.bob.client)) == 3


async def test_a_connection_is_removed_after_saying_what_stops(cast: Cast, database: Database) -> None:
    connection = await connect(cast, database, kind="echo")
    address = f"/admin/connections/{connection.id}/removal"

    question = await cast.alice.client.get(address)
    assert "3 models stop answering" in question.text
    await cast.alice.client.post(address)

    assert await names_of_models(database) == {}
    assert (await cast.alice.client.get(address)).status_code == 404


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("ftp://example.org", "http:// or https://"),
        ("http://alice:secret@example.org/v1", "Leave user name and password out"),
        ("http://169.254.169.254/v1", "metadata"),
        ("http://[::ffff:a9fe:a9fe]/v1", "metadata"),
        ("http://metadata.google.internal/v1", "metadata"),
        ("http://example.org/v1?api-key=1", "Leave out what follows"),
        ("http://", "names no server"),
        ("", "Enter the address"),
        ("http://[::1", "not an address"),
        ("http://example.org/" + "a" * 400, "longer than"),
    ],
)
async def test_an_address_that_cannot_be_called_is_refused_with_a_remedy(
    cast: Cast, database: Database, address: str, sentence: str
) -> None:
    form = {"kind": COMPATIBLE, "base_url": address, "key": GOOD_KEY}

    response = await cast.alice.client.post("/admin/connections", data=form)

    assert response.status_code == 422
    assert sentence in response.text
    assert GOOD_KEY not in response.text
    async with database.reading() as session:
        assert await session.scalar(select(Connection)) is None


async def test_nonsense_is_refused(cast: Cast) -> None:
    for form in ({"kind": "gopher"}, {"kind": "openai"}, {"kind": "echo", "key": GOOD_KEY}, {}):
        response = await cast.alice.client.post("/admin/connections", data=form)
        assert response.status_code == 422, form
    lamps = await cast.alice.client.post("/admin/connections", data={"kind": "openai", "key": "🏮🏮"})
    assert (lamps.status_code, "it holds characters that no key has" in lamps.text) == (422, True)
    too_long = {"kind": "echo", "label": "x" * 200}
    assert (await cast.alice.client.post("/admin/connections", data=too_long)).status_code == 422


async def test_what_was_pasted_too_much_is_left_off_and_said(
    cast: Cast,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    form = {"kind": COMPATIBLE, "base_url": f"{vendor.url}/chat/completions/", "key": GOOD_KEY}

    response = await cast.alice.client.post("/admin/connections", data=form)

    page = await cast.alice.client.get(response.headers["location"])
    assert "The end of the address was left off" in page.text
    assert (await heard_of(database)).base_url == vendor.url


async def test_members_and_strangers_learn_nothing(cast: Cast, client: Visitor, database: Database) -> None:
    connection = await connect(cast, database, kind="echo", label="Hidden name")
    address = f"/admin/connections/{connection.id}"
    gets = [
        "/admin/connections",
        "/admin/connections/new",
        "/admin/connections/detected",
        address,
        f"{address}/card",
    ]
    posts = ["", "/key/deletion", "/activity", "/tests", "/refreshes", "/removal"]
    for ask in (
        *_each(cast.bob.client.get, gets),
        *_each(cast.bob.client.post, [address + end for end in posts]),
    ):
        response = await ask()
        assert response.status_code == 404
        assert "Hidden name" not in response.text
    for ask in (*_each(client.get, gets), *_each(client.post, [address + end for end in posts])):
        assert (await ask()).headers["location"].startswith("/login")
    assert (await heard_of(database)).is_active


async def test_changes_are_in_the_audit_log_without_keys(
    cast: Cast,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    connection = await connect(cast, database, base_url=vendor.url, key=GOOD_KEY)
    address = f"/admin/connections/{connection.id}"
    await cast.alice.client.post(
        address, data={"label": connection.label, "base_url": vendor.url, "key": OTHER_KEY}
    )
    await cast.alice.client.post(address, data={"label": "Renamed", "base_url": vendor.url})
    await cast.alice.client.post(f"{address}/removal")

    async with database.reading() as session:
        events = list(await session.scalars(select(AuditEvent).order_by(AuditEvent.id)))

    actions = [event.action for event in events]
    assert actions == [
        "connection.created",
        "connection.key_replaced",
        "connection.renamed",
        "connection.removed",
    ]
    assert {event.actor_name for event in events} == {"alice"}
    assert not any(
        key in f"{event.subject} {event.detail}" for event in events for key in (GOOD_KEY, OTHER_KEY)
    )


async def usable(client: httpx.AsyncClient) -> list[dict[str, object]]:
    models: list[dict[str, object]] = (await client.get("/api/models")).json()["models"]
    return models


def _each(
    method: Callable[[str], Awaitable[httpx.Response]], addresses: list[str]
) -> list[Callable[[], Awaitable[httpx.Response]]]:
    return [lambda address=address: method(address) for address in addresses]
