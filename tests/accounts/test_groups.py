"""Groups: exactly one of somebody's groups pays, whatever happens to them and in whichever order."""

import asyncio

import pytest
from sqlalchemy import func, select

from app.accounts import groups, memberships, people
from app.accounts.audit import COMMAND_LINE, Act
from app.accounts.models import AuditEvent, Group, Membership
from app.core.database import Database
from app.core.errors import Invalid, NotFound
from app.core.settings import Settings
from tests.cast import Cast, Person

ACT = Act(COMMAND_LINE)


async def made(database: Database, *names: str) -> list[Group]:
    async with database.writing() as session:
        return [await groups.create(session, name, ACT) for name in names]


async def put(database: Database, group: Group, person: Person, **places: bool) -> None:
    async with database.writing() as session:
        found = await groups.by_id(session, group.id)
        await memberships.put(session, found, await people.by_id(session, person.id), ACT, **places)


async def take_out(database: Database, group: Group, person: Person) -> None:
    async with database.writing() as session:
        await memberships.take_out(session, await groups.by_id(session, group.id), person.id, ACT)


async def choose_main(database: Database, group: Group, person: Person) -> None:
    async with database.writing() as session:
        await memberships.choose_main(session, await groups.by_id(session, group.id), person.id, ACT)


async def delete(database: Database, group: Group) -> None:
    async with database.writing() as session:
        await groups.delete(session, await groups.by_id(session, group.id), ACT)


async def payer(database: Database, person: Person) -> str | None:
    async with database.reading() as session:
        group = await groups.group_of(session, person.id)
    return group.name if group else None


async def count_of_main_groups(database: Database, person: Person) -> int:
    async with database.reading() as session:
        query = select(func.count()).where(Membership.user_id == person.id, Membership.is_main)
        return await session.scalar(query) or 0


async def test_nobody_pays_for_somebody_in_no_group(cast: Cast, database: Database) -> None:
    assert await payer(database, cast.bob) is None


async def test_the_first_group_pays_until_another_is_chosen(cast: Cast, database: Database) -> None:
    design, research = await made(database, "Design", "Research")
    await put(database, design, cast.bob)
    await put(database, research, cast.bob)
    assert await payer(database, cast.bob) == "Design"

    await choose_main(database, research, cast.bob)
    assert await payer(database, cast.bob) == "Research"

    await put(database, design, cast.bob, is_main=True)
    assert await payer(database, cast.bob) == "Design"
    assert await count_of_main_groups(database, cast.bob) == 1


async def test_who_leaves_the_main_group_is_paid_for_by_the_oldest_of_the_others(
    cast: Cast, database: Database
) -> None:
    design, research, sales = await made(database, "Design", "Research", "Sales")
    for group in (design, research, sales):
        await put(database, group, cast.bob)

    await take_out(database, design, cast.bob)
    assert await payer(database, cast.bob) == "Research"

    await take_out(database, sales, cast.bob)
    assert await payer(database, cast.bob) == "Research"

    await take_out(database, research, cast.bob)
    assert await payer(database, cast.bob) is None


async def test_putting_somebody_in_twice_changes_nothing(cast: Cast, database: Database) -> None:
    (design,) = await made(database, "Design")
    await put(database, design, cast.bob, is_manager=True)

    await put(database, design, cast.bob)

    async with database.reading() as session:
        (place,) = await memberships.members_of(session, design)
        actions = (await session.scalars(select(AuditEvent.action).order_by(AuditEvent.id))).all()
    assert (place.is_main, place.is_manager) == (True, True)
    assert actions == ["group.created", "group.member_added", "group.manager_added", "group.made_main"]


async def test_a_deleted_group_keeps_its_name_in_the_books_and_sets_it_free(
    cast: Cast, database: Database
) -> None:
    design, research = await made(database, "Design", "Research")
    await put(database, design, cast.bob)
    await put(database, research, cast.bob)
    await put(database, design, cast.charlie)

    await delete(database, design)

    assert await payer(database, cast.bob) == "Research"
    assert await payer(database, cast.charlie) is None
    async with database.reading() as session:
        assert (await session.get_one(Group, design.id)).name == "Design"
        assert [group.name for group in await groups.all_groups(session)] == ["Research"]
        with pytest.raises(NotFound):
            await groups.by_id(session, design.id)
        with pytest.raises(NotFound):
            await groups.by_name(session, "Design")
    (again,) = await made(database, "design")
    assert again.id != design.id


@pytest.mark.parametrize("name", ["Design", "DESIGN", "  design ", "Ｄｅｓｉｇｎ"])
async def test_no_two_groups_look_alike(database: Database, name: str) -> None:
    await made(database, "Design")

    with pytest.raises(Invalid, match="already"):
        await made(database, name)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b", "a\x1b[1mb", "\ud800", "a\u202eb"])
async def test_a_name_can_be_seen_and_is_short(database: Database, name: str) -> None:
    with pytest.raises(Invalid, match="at most 60 characters"):
        await made(database, name)


async def test_a_group_can_be_called_the_same_in_other_capitals(database: Database) -> None:
    (design,) = await made(database, "design")

    async with database.writing() as session:
        await groups.rename(session, await groups.by_id(session, design.id), "Design", ACT)

    async with database.reading() as session:
        assert (await groups.by_name(session, "DESIGN")).name == "Design"


async def test_managers_are_found_by_what_they_manage(cast: Cast, database: Database) -> None:
    design, research = await made(database, "Design", "Research")
    await put(database, design, cast.bob, is_manager=True)
    await put(database, research, cast.bob)

    async with database.reading() as session:
        bob, charlie = [await people.by_id(session, person.id) for person in (cast.bob, cast.charlie)]
        assert [group.name for group in await groups.managed_by(session, bob)] == ["Design"]
        assert await groups.managed_by(session, charlie) == []


class TestAtTheSameMoment:
    """On both databases: many who change somebody's groups leave exactly one that pays."""

    @pytest.fixture(params=["sqlite", "postgresql"])
    def settings(self, request: pytest.FixtureRequest, settings: Settings) -> Settings:
        if request.param == "sqlite":
            return settings
        url = request.getfixturevalue("postgres_with_tables")
        return settings.model_copy(update={"database_url": url})

    async def test_one_group_pays_for_whoever_is_put_into_many(self, cast: Cast, database: Database) -> None:
        many = await made(database, *(f"Group {number}" for number in range(6)))

        await asyncio.gather(*(put(database, group, cast.bob) for group in many))

        assert await count_of_main_groups(database, cast.bob) == 1

    async def test_the_same_place_is_given_once(self, cast: Cast, database: Database) -> None:
        (design,) = await made(database, "Design")

        await asyncio.gather(*(put(database, design, cast.bob, is_main=True) for _ in range(6)))

        async with database.reading() as session:
            assert len(await memberships.members_of(session, design)) == 1

    async def test_choosing_leaving_and_deleting(self, cast: Cast, database: Database) -> None:
        many = await made(database, *(f"Group {number}" for number in range(6)))
        for group in many:
            await put(database, group, cast.bob)
            await put(database, group, cast.charlie)

        results = await asyncio.gather(
            *(choose_main(database, group, cast.bob) for group in many),
            *(take_out(database, group, cast.bob) for group in many[:2]),
            *(delete(database, group) for group in many[1:4]),
            return_exceptions=True,
        )

        assert [error for error in results if error is not None and not isinstance(error, NotFound)] == []
        for person in (cast.bob, cast.charlie):
            assert await count_of_main_groups(database, person) == 1
            assert await payer(database, person) in ("Group 0", "Group 4", "Group 5")

    async def test_nobody_is_left_in_a_group_that_is_deleted(self, cast: Cast, database: Database) -> None:
        for number in range(5):
            (group,) = await made(database, f"Group {number}")

            await asyncio.gather(
                delete(database, group), put(database, group, cast.bob), return_exceptions=True
            )

            assert await payer(database, cast.bob) is None

    async def test_one_name_is_given_once(self, cast: Cast, database: Database) -> None:
        results = await asyncio.gather(*(made(database, "Design") for _ in range(4)), return_exceptions=True)

        refused = [result for result in results if isinstance(result, Invalid)]
        assert len(refused) == 3
        assert sum(isinstance(result, list) for result in results) == 1
