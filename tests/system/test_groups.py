"""A group from its name to its members' pickers: made, filled, given a model of its own, and looked after."""

from playwright.async_api import Page, expect

from tests.cast import Cast
from tests.system.conftest import OpenPage


async def make_design(page: Page) -> None:
    """The group Design, which Bob manages and which pays for him."""
    await page.get_by_label("Name", exact=True).fill("Design")
    await page.get_by_role("button", name="Create group").click()
    await page.get_by_label("Username or e-mail").fill("bob")
    await page.get_by_label("Manager").check()
    await page.get_by_label("Main group").check()
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("row", name="Bob Archer")).to_contain_text("This group")


async def keep_to_design(page: Page, model: str) -> None:
    await page.goto("/admin/models")
    await page.get_by_role("link", name=f"change who may use {model}").click()
    await page.get_by_label("Open to").select_option("Only these groups")
    await page.get_by_label("Design").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("row", name=model).first).to_contain_text("Design")


async def models_of(page: Page) -> list[str]:
    """What the picker offers."""
    await page.goto("/")
    await page.get_by_role("button", name="Model").click()
    return await page.locator(".picker .option__name").all_inner_texts()


async def test_a_group_gets_a_model_of_its_own_and_a_manager_who_sees_what_it_uses(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    office = await open_page("/admin/groups", cast.alice)
    await make_design(office)
    bobs, charlies = await open_page("/", cast.bob), await open_page("/", cast.charlie)
    assert "Echo, slow" in await models_of(charlies), "the premise: it was open to everyone"

    await keep_to_design(office, "Echo, slow")

    assert "Echo, slow" in await models_of(bobs)
    assert "Echo, slow" not in await models_of(charlies)

    await bobs.goto("/usage")
    await bobs.get_by_role("link", name="Design").click()
    await expect(bobs.get_by_role("heading", level=1)).to_have_text("Usage of Design")
    await bobs.get_by_role("link", name="Statement").click()
    await expect(bobs.get_by_role("heading", level=1)).to_contain_text("Statement for")

    await office.goto("/admin/groups")
    await office.get_by_role("link", name="Design").click()
    await office.get_by_role("button", name="Delete", exact=True).click()
    await office.get_by_role("button", name="Delete group").click()
    await expect(office.get_by_role("status")).to_contain_text("The group is deleted.")
    assert "Echo, slow" not in await models_of(bobs), "deleting a group opens nothing"
