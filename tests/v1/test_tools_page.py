"""The page that shows how one's own tools use Parley."""

from html import unescape

import pytest
from sqlalchemy import update

from app.catalog.models import Model
from app.core.database import Database
from app.core.settings import Settings
from tests.cast import Cast
from tests.v1.conftest import Connect
from tests.v1.test_aliases import aliased

PAGE = "/settings/tools"


async def shown(cast: Cast, query: str = "") -> str:
    response = await cast.bob.client.get(PAGE + query)
    assert response.status_code == 200
    return unescape(response.text)


async def test_samples_name_this_server_and_a_model(cast: Cast, connect: Connect) -> None:
    await connect("practice", "echo", "echo-fast", "echo-slow")

    page = await shown(cast)

    assert "http://parley.test/v1/chat/completions" in page
    assert "export ANTHROPIC_BASE_URL=http://parley.test\n" in page
    assert '"model": "practice/echo-fast"' in page
    assert "127.0.0.1:8000" not in page
    assert "parley_" not in page


async def test_another_model_can_be_chosen(cast: Cast, connect: Connect) -> None:
    await connect("practice", "echo", "echo-fast", "echo-slow")

    assert "aider --model openai/practice/echo-slow" in await shown(cast, "?model=practice/echo-slow")
    assert "aider --model openai/practice/echo-fast" in await shown(cast, "?model=secret/model")


async def test_an_alias_can_be_chosen_by_who_may_use_a_model_behind_it(
    cast: Cast, connect: Connect, database: Database
) -> None:
    await connect("practice", "echo", "echo-fast", "echo-slow")
    await aliased(database, "fast", "practice/echo-slow", "practice/echo-fast")
    await connect("cellar", "echo", "of-others")
    await aliased(database, "theirs", "cellar/of-others")
    async with database.writing() as session:
        await session.execute(update(Model).where(Model.name == "of-others").values(is_restricted=True))

    page = await shown(cast, "?model=fast")

    assert '<option value="fast" selected>' in page
    assert '"model": "fast"' in page
    assert "theirs" not in page
    assert '<option value="practice/echo-fast" selected>' in await shown(cast)


async def test_names_that_mean_something_to_a_shell_are_not_offered(cast: Cast, connect: Connect) -> None:
    await connect("practice", "echo", "echo;reboot", "echo-slow")

    assert "reboot" not in await shown(cast)


async def test_without_a_model_it_says_so(cast: Cast, database: Database) -> None:
    assert "You may use no model yet" in await shown(cast)


class TestBehindAProxy:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"public_url": "https://chat.example.org/"})

    async def test_the_public_address_counts(self, cast: Cast) -> None:
        page = await shown(cast)

        assert 'base_url="https://chat.example.org/v1"' in page
        assert "parley.test" not in page
