"""A long conversation in Chromium: earlier messages come when one asks for them, and nobody loses their place."""

import pytest
from playwright.async_api import Page, expect

from app.chats.history import PAGE
from app.chats.models import Chat, Message
from app.core.database import Database
from tests.cast import Cast
from tests.system.conftest import OpenPage


@pytest.fixture
async def long_chat(cast: Cast, echo: str, database: Database) -> str:
    """Its address; it has three pages of messages, numbered from zero."""
    async with database.writing() as session:
        chat = Chat(owner_id=cast.alice.id, title="Long", model=echo)
        session.add(chat)
        await session.flush()
        last: Message | None = None
        for number in range(3 * PAGE):
            role = "assistant" if number % 2 else "user"
            message = Message(
                chat_id=chat.id, role=role, depth=number, content=f"Number {number}.", model=echo
            )
            message.parent_id = last.id if last else None
            session.add(message)
            await session.flush()
            last = message
        chat.tip_id = last.id if last else None
    return f"/chats/{chat.id}"


async def test_the_focus_stays_where_one_was_reading(long_chat: str, cast: Cast, open_page: OpenPage) -> None:
    page = await open_page(long_chat, cast.alice)
    await expect(page.locator("article")).to_have_count(PAGE)

    await page.get_by_role("link", name="Earlier messages").press("Enter")

    await expect(page.locator("article")).to_have_count(2 * PAGE)
    newest_of_them = page.locator("article").nth(PAGE - 1)
    await expect(newest_of_them).to_contain_text(f"Number {2 * PAGE - 1}.")
    await expect(newest_of_them).to_be_focused()


async def test_what_comes_by_itself_takes_no_focus(long_chat: str, cast: Cast, open_page: OpenPage) -> None:
    page: Page = await open_page(long_chat, cast.alice)
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()

    await page.evaluate("document.querySelector('#earlier').scrollIntoView()")

    await expect(page.locator("article")).to_have_count(2 * PAGE)
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
