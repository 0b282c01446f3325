"""What one conversation used, by model: with its title for its owner, without it for everybody else."""

import pytest
from sqlalchemy import select

from app.accounts.models import Group
from app.core.database import Database
from tests.cast import Cast, Visitor
from tests.usage.recording import uses


async def bobs_chat(cast: Cast, database: Database, **details: object) -> str:
    """A conversation of Bob's in which two models were used."""
    chat = await cast.bob.starts_a_chat("Salaries")
    origin = f"chat:{chat.id}"
    await uses(database, cast.bob, origin=origin, **details)
    await uses(database, cast.bob, origin=origin, days_ago=3, **details)
    await uses(
        database, cast.bob, origin=origin, connection="groq", model="llama", cost_micros=10_000, **details
    )
    return chat.id


async def bobs_group(cast: Cast, database: Database) -> str:
    """Design, which Bob is in and Charlie manages."""
    alice = cast.alice.client
    await alice.post("/admin/groups", data={"name": "Design"})
    async with database.reading() as session:
        group = (await session.scalars(select(Group))).one()
    members = f"/admin/groups/{group.id}/members"
    await alice.post(members, data={"login": "bob", "main": "on"})
    await alice.post(members, data={"login": "charlie", "manager": "on"})
    return group.id


async def test_the_owner_finds_what_it_cost_by_model(cast: Cast, database: Database) -> None:
    chat = await bobs_chat(cast, database)

    dashboard = (await cast.bob.client.get("/usage")).text
    conversation = (await cast.bob.client.get(f"/chats/{chat}")).text
    page = (await cast.bob.client.get(f"/usage/conversations/{chat}")).text

    for way in (dashboard, conversation):
        assert f"/usage/conversations/{chat}" in way
    for words in ("Salaries", "gpt-5", "llama", "$6.50", "$0.0100", "$6.51", f'href="/chats/{chat}"'):
        assert words in page
    assert page.index("gpt-5") < page.index("llama"), "the dearest first"


async def test_what_is_estimated_is_marked(cast: Cast, database: Database) -> None:
    chat = await bobs_chat(cast, database)
    address = f"/usage/conversations/{chat}"
    assert "≈" not in (await cast.bob.client.get(address)).text

    await uses(
        database,
        cast.bob,
        origin=f"chat:{chat}",
        connection="groq",
        model="llama",
        cost_micros=10_000,
        days_ago=1,
        is_estimate=True,
    )

    page = (await cast.bob.client.get(address)).text
    assert "≈\u00a0$6.52" in page
    assert "≈\u00a0$0.0200" in page
    assert ">$6.50<" in page, "what the other model used was reported"
    assert "≈ 2,000" in page
    told = (await cast.bob.client.get(f"/api{address}")).json()
    assert told["is_estimate"]
    assert [one["is_estimate"] for one in told["models"]] == [False, True]


async def test_an_estimate_that_was_corrected_is_none(cast: Cast, database: Database) -> None:
    chat = await bobs_chat(cast, database)
    await uses(database, cast.bob, origin=f"chat:{chat}", id="wrong", is_estimate=True)
    await uses(database, cast.bob, origin=f"chat:{chat}", correction_of="wrong", cost_micros=-250_000)

    assert "≈" not in (await cast.bob.client.get(f"/usage/conversations/{chat}")).text


async def test_administrators_see_sums_and_no_title(cast: Cast, database: Database) -> None:
    chat = await bobs_chat(cast, database)

    dashboard = (await cast.alice.client.get("/admin/usage")).text
    page = (await cast.alice.client.get(f"/admin/usage/conversations/{chat}")).text

    assert f"/admin/usage/conversations/{chat}" in dashboard
    assert "A conversation of Bob Archer" in page
    assert "$6.51" in page
    for told in (dashboard, page):
        assert "Salaries" not in told
        assert f'href="/chats/{chat}"' not in told
    assert (await cast.alice.client.get(f"/usage/conversations/{chat}")).status_code == 404, "not her own"


async def test_a_manager_sees_those_that_the_group_pays_for(cast: Cast, database: Database) -> None:
    design = await bobs_group(cast, database)
    paid = await bobs_chat(cast, database, group_id=design)
    unpaid = await bobs_chat(cast, database)
    of_group = f"/usage/groups/{design}/conversations"

    page = await cast.charlie.client.get(f"{of_group}/{paid}")

    assert page.status_code == 200
    assert "A conversation of Bob Archer" in page.text
    assert "Salaries" not in page.text
    for path in (
        f"{of_group}/{unpaid}",
        f"/usage/conversations/{paid}",
        f"/admin/usage/conversations/{paid}",
    ):
        assert (await cast.charlie.client.get(path)).status_code == 404
    assert (await cast.bob.client.get(f"{of_group}/{paid}")).status_code == 404, "a member is no manager"


async def test_programs_get_the_same(cast: Cast, database: Database) -> None:
    design = await bobs_group(cast, database)
    chat = await bobs_chat(cast, database, group_id=design)

    own = (await cast.bob.client.get(f"/api/usage/conversations/{chat}")).json()
    everybodys = await cast.alice.client.get(f"/api/usage/workspace/conversations/{chat}")
    groups = await cast.charlie.client.get(f"/api/usage/groups/{design}/conversations/{chat}")

    assert own["cost_micros"] == 6_510_000
    assert own["requests"] == 3
    assert [(one["model"], one["cost_micros"]) for one in own["models"]] == [
        ("openai/gpt-5", 6_500_000),
        ("groq/llama", 10_000),
    ]
    assert own == everybodys.json() == groups.json()
    for path in (f"conversations/{chat}", f"workspace/conversations/{chat}"):
        assert (await cast.charlie.client.get(f"/api/usage/{path}")).status_code == 404


async def test_a_conversation_without_any_use_is_empty_and_a_deleted_one_keeps_its_figures(
    cast: Cast, database: Database
) -> None:
    unused = await cast.bob.starts_a_chat("Plans")
    deleted = await bobs_chat(cast, database)
    await cast.bob.client.delete(f"/api/chats/{deleted}")

    assert "Nothing was used" in (await cast.bob.client.get(f"/usage/conversations/{unused.id}")).text
    page = (await cast.bob.client.get(f"/usage/conversations/{deleted}")).text
    assert "Deleted conversation" in page
    assert "$6.51" in page
    assert "Salaries" not in page


@pytest.mark.parametrize("chat_id", ["nonsense", "%00", "a" * 300])
async def test_nonsense_and_strangers_find_nothing(cast: Cast, client: Visitor, chat_id: str) -> None:
    for path in (f"/usage/conversations/{chat_id}", f"/api/usage/conversations/{chat_id}"):
        assert (await cast.bob.client.get(path)).status_code == 404
        assert (await client.get(path)).status_code in (303, 401)
