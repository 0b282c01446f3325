"""The settings of a connection: one form, saved at once or not at all; and where its key goes."""

from app.core.database import Database
from tests.admin.test_connections import connect, heard_of, settings  # noqa: F401  (a fixture)
from tests.cast import HTMX, Cast
from tests.catalog.vendor import GOOD_KEY, OTHER_KEY, Vendor, vendor  # noqa: F401  (a fixture)


async def test_all_settings_are_saved_at_once_or_not_at_all(
    cast: Cast,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    connection = await connect(cast, database, label="Before", base_url=vendor.url, key=GOOD_KEY)
    address = f"/admin/connections/{connection.id}"
    elsewhere = vendor.url.replace("127.0.0.1", "localhost")
    form = {"label": "After", "base_url": elsewhere, "key": OTHER_KEY, "local": "on"}

    page = await cast.alice.client.get(address)
    assert page.text.count(">Save<") == 1
    refused = await cast.alice.client.post(address, data=form | {"base_url": "ftp://example.org"})
    assert refused.status_code == 422
    for typed in ('value="After"', 'value="ftp://example.org"', "checked"):
        assert typed in refused.text, "nothing that was typed is lost"
    unchanged = await heard_of(database)
    assert (unchanged.label, unchanged.base_url, unchanged.is_local) == ("Before", vendor.url, False)

    vendor.keys = {OTHER_KEY}
    saved = await cast.alice.client.post(address, data=form)
    tested = await cast.alice.client.post(f"{address}/tests", headers=HTMX)
    assert saved.headers["location"] == "/admin/connections", "there is nothing left to be entered"
    assert "Online" in tested.text
    changed = await heard_of(database)
    assert (changed.label, changed.base_url, changed.is_local) == ("After", elsewhere, True)


async def test_an_empty_key_leaves_the_one_that_is_stored(
    cast: Cast,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    connection = await connect(cast, database, base_url=vendor.url, key=GOOD_KEY)
    address = f"/admin/connections/{connection.id}"

    await cast.alice.client.post(address, data={"label": "Renamed", "base_url": vendor.url, "key": ""})
    tested = await cast.alice.client.post(f"{address}/tests", headers=HTMX)

    assert "Online" in tested.text
    assert vendor.keys_seen[-1] == GOOD_KEY


async def test_a_replaced_key_counts_with_the_next_call(
    cast: Cast,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    connection = await connect(cast, database, base_url=vendor.url, key=GOOD_KEY)
    vendor.keys = {OTHER_KEY}
    address = f"/admin/connections/{connection.id}"
    failed = await cast.alice.client.post(f"{address}/tests", headers=HTMX)
    assert "Key rejected" in failed.text

    form = {"label": connection.label, "base_url": vendor.url, "key": f"  {OTHER_KEY}\n"}
    await cast.alice.client.post(address, data=form)
    tested = await cast.alice.client.post(f"{address}/tests", headers=HTMX)

    assert "Online" in tested.text
    assert vendor.keys_seen[-1] == OTHER_KEY


async def test_a_key_does_not_follow_to_another_server(
    cast: Cast,
    database: Database,
    vendor: Vendor,  # noqa: F811
) -> None:
    connection = await connect(cast, database, base_url=vendor.url, key=GOOD_KEY)
    address = f"/admin/connections/{connection.id}"
    vendor.keys_seen.clear()

    moved = await cast.alice.client.post(
        address, data={"label": "Elsewhere", "base_url": vendor.url.replace("127.0.0.1", "localhost")}
    )

    page = await cast.alice.client.get(moved.headers["location"])
    assert "meant for the other server" in page.text
    assert "None is stored" in page.text
    await cast.alice.client.post(f"{address}/tests")
    assert GOOD_KEY not in vendor.keys_seen


async def test_a_key_is_deleted(cast: Cast, database: Database, vendor: Vendor) -> None:  # noqa: F811
    connection = await connect(cast, database, base_url=vendor.url, key=GOOD_KEY)
    address = f"/admin/connections/{connection.id}"

    await cast.alice.client.post(f"{address}/key/deletion")
    await cast.alice.client.post(f"{address}/tests")

    assert vendor.keys_seen[-1] == ""
