"""Copying from a conversation, in Chromium."""

import re

from playwright.async_api import expect

from tests.cast import Cast
from tests.chats.waiting import finished_replies
from tests.system.conftest import OpenPage

QUESTION = """Why does **this** fail?

```python
print("x" * 3)
```"""


async def test_a_message_is_copied_as_it_was_written_and_code_alone(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    started = await cast.alice.client.post("/chats", data={"body": QUESTION, "model": echo})
    await finished_replies(cast.alice, started.headers["location"])
    page = await open_page(started.headers["location"], cast.alice)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    question = page.locator(".message--person")
    copied = "navigator.clipboard.readText()"

    await question.hover()
    await question.get_by_role("button", name="Copy").last.click()
    await expect(page.locator("#announcer")).to_have_text("Copied")
    assert (await page.evaluate(copied)).replace("\r\n", "\n") == QUESTION

    await question.get_by_role("button", name="Copy").first.click()
    await page.wait_for_function(f"""{copied}.then((text) => text === 'print("x" * 3)\\n')""")


async def test_copying_twice_shows_its_mark_only_for_a_moment(
    cast: Cast, echo: str, open_page: OpenPage
) -> None:
    started = await cast.alice.client.post("/chats", data={"body": "Twice", "model": echo})
    await finished_replies(cast.alice, started.headers["location"])
    page = await open_page(started.headers["location"], cast.alice)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy = page.locator(".message--reply").get_by_role("button", name="Copy")
    icon = copy.locator("use")
    await page.clock.install()

    await copy.dblclick()
    await expect(page.locator("#announcer")).to_have_text("Copied")
    await page.clock.run_for(5_000)

    await expect(icon).to_have_attribute("href", re.compile("#copy$"))
