"""Keys and service accounts in a real browser: made, shown once, revoked; each page looked at in both themes."""

import re
from typing import Any

from playwright.async_api import Page, expect

from tests.cast import Cast
from tests.system.conftest import OpenPage
from tests.system.looking import device, examine_in_both_themes, look  # noqa: F401  (fixtures)

KEYS = "/settings/keys"
ACCOUNTS = "/admin/service-accounts"


async def make_a_key(page: Page, name: str, *, for_model: str = "") -> str:
    """Fill in the form that is open; returns the key that is shown."""
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("At most each month").fill("20")
    if for_model:
        await page.get_by_text("Keep it to some models or addresses").click()
        await page.get_by_role("checkbox", name=for_model).check()
        await page.get_by_label("Addresses").fill("127.0.0.0/8")
    await page.get_by_role("button", name="Create key").click()
    return await page.locator("#secret").input_value()


async def test_bob_makes_a_key_and_ends_it(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page(KEYS, cast.bob)
    await page.get_by_role("link", name="New key").first.click()

    secret = await make_a_key(page, "Backup script", for_model="Echo, fast")
    assert secret.startswith("parley_")
    asked = await page.request.get("/api/me", headers={"x-api-key": secret})
    assert asked.status == 200

    await page.goto(KEYS)
    assert secret not in await page.content()
    await page.get_by_role("button", name="Revoke").first.click()
    await page.get_by_role("button", name="Revoke key").click()
    await expect(page.get_by_text("It stopped working at once")).to_be_visible()
    refused = await page.request.get("/api/me", headers={"x-api-key": secret})
    assert (await refused.json())["error"]["code"] == "key_revoked"


async def test_alice_gives_a_program_its_account(cast: Cast, echo: str, open_page: OpenPage) -> None:
    page = await open_page(ACCOUNTS, cast.alice)
    await page.get_by_label("Name").fill("Nightly evaluation")
    await page.get_by_role("button", name="Create account").click()
    await page.get_by_role("link", name="New key").click()
    secret = await make_a_key(page, "Cron")

    asked = await page.request.get("/api/me", headers={"x-api-key": secret})
    assert (await asked.json())["name"] == "Nightly evaluation"
    await page.get_by_role("button", name="Disable").first.click()
    await page.get_by_role("button", name="Disable account").click()
    await expect(page.get_by_text("This account is disabled")).to_be_visible()
    refused = await page.request.get("/api/me", headers={"x-api-key": secret})
    assert (await refused.json())["error"]["code"] == "account_disabled"


async def test_every_page_about_keys_is_accessible(
    cast: Cast,
    echo: str,
    open_page: OpenPage,
    look: dict[str, Any],  # noqa: F811
    device: str,  # noqa: F811
) -> None:
    page = await open_page(KEYS, cast.alice, **look)
    findings = await examine_in_both_themes(page, f"keys-empty-{device}")
    await page.goto(f"{KEYS}/new")
    await page.get_by_text("Keep it to some models or addresses").click()
    findings += await examine_in_both_themes(page, f"keys-new-{device}")
    await page.goto(f"{KEYS}/new")
    await make_a_key(page, "Backup script", for_model="Echo, fast")
    findings += await examine_in_both_themes(page, f"keys-made-{device}")
    await page.get_by_role("link", name="Backup script").click()
    findings += await examine_in_both_themes(page, f"keys-one-{device}")
    await page.goto(ACCOUNTS)
    await page.get_by_label("Name").fill("Nightly evaluation")
    await page.get_by_role("button", name="Create account").click()
    account = re.sub(r"\?.*", "", page.url)
    await page.goto(f"{account}/keys/new")
    findings += await examine_in_both_themes(page, f"service-key-new-{device}")
    await make_a_key(page, "Cron")
    findings += await examine_in_both_themes(page, f"service-account-{device}")
    await page.get_by_role("link", name="Cron").click()
    findings += await examine_in_both_themes(page, f"service-key-{device}")
    await page.goto(ACCOUNTS)
    findings += await examine_in_both_themes(page, f"service-accounts-{device}")

    assert findings == []
