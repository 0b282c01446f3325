"""Accounts as people meet them: in real browsers, on a real server."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from app.accounts.models import UserRole
from app.core.database import Database
from tests.cast import PASSWORD, insert_person
from tests.conftest import LiveServer


async def fill_in_and_send(page: Page, button: str, **fields: str) -> None:
    for name, value in fields.items():
        await page.fill(f"[name={name}]", value)
    await page.get_by_role("button", name=button, exact=True).click()


async def logged_in(browser: Browser, server: LiveServer, **options: str) -> Page:
    context = await browser.new_context(base_url=server.url, **options)
    page = await context.new_page()
    await page.goto("/login")
    await fill_in_and_send(page, "Log in", login="alice", password=PASSWORD)
    await expect(page).not_to_have_url(re.compile("/login"))
    return page


@pytest.fixture
async def house_of_alice(live_server: LiveServer) -> LiveServer:
    """A server on which Alice is the administrator."""
    database = Database(f"sqlite+aiosqlite:///{live_server.data_dir / 'parley.db'}")
    await insert_person(database, "alice", "Alice Liddell", UserRole.ADMINISTRATOR)
    await database.close()
    return live_server


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_the_first_minute(browser: Browser, live_server: LiveServer, scripts: bool) -> None:
    context = await browser.new_context(base_url=live_server.url, java_script_enabled=scripts)
    page = await context.new_page()

    await page.goto("/")
    await expect(page).to_have_url(f"{live_server.url}/setup")
    await fill_in_and_send(
        page, "Create account", username="dora", email="d@example.org", password="1234567890"
    )
    await expect(page.get_by_text("among those that are tried first")).to_be_visible()
    await fill_in_and_send(page, "Create account", password="some grey pebbles")

    await expect(page).to_have_url(f"{live_server.url}/setup/provider")


async def test_a_session_ended_elsewhere_leads_to_log_in_and_back(
    browser: Browser, house_of_alice: LiveServer
) -> None:
    desk, phone = await logged_in(browser, house_of_alice), await logged_in(browser, house_of_alice)
    await phone.goto("/admin/audit?period=day")

    await desk.goto("/settings")
    await expect(desk.get_by_text("This one")).to_be_visible()
    await desk.get_by_role("button", name="End all others").click()
    await expect(desk.get_by_text("The session is ended.")).to_be_visible()

    await phone.reload()
    await expect(phone).to_have_url(re.compile(r"/login\?next="))
    await fill_in_and_send(phone, "Log in", login="alice@example.org", password=PASSWORD)
    await expect(phone).to_have_url(f"{house_of_alice.url}/admin/audit?period=day")


async def test_an_invitation_is_handed_over(browser: Browser, house_of_alice: LiveServer) -> None:
    alice = await logged_in(browser, house_of_alice)
    await alice.goto("/admin/invitations")
    await alice.get_by_role("button", name="Make a link").click()
    link = await alice.get_by_label("The invitation's link").input_value()

    guest = await (await browser.new_context()).new_page()
    await guest.goto(link)
    await fill_in_and_send(
        guest, "Join", username="dora", email="dora@example.org", password="some grey pebbles"
    )
    await expect(guest).to_have_url(f"{house_of_alice.url}/")

    await guest.goto(link)
    await expect(guest.get_by_text("This invitation was used, withdrawn, or is too old.")).to_be_visible()
