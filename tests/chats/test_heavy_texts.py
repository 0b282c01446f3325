"""What one person writes, or has a model write, never holds up everybody else."""

import asyncio
import time

import pytest

from app.chats.broadcasts import Broadcasts, LiveReply
from app.chats.rendering import LONGEST_OF_PEOPLE, render
from app.chats.streaming import text_of
from app.live.hub import Hub
from app.live.tasks import Tasks
from tests.cast import Cast

WORDS = " and then" * 100


class SharedHub(Hub):
    """As if other processes listened."""

    is_shared = True


@pytest.fixture
def broadcasts() -> Broadcasts:
    async def nothing(_: str) -> None: ...

    return Broadcasts(SharedHub(), Tasks(), nothing)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("http://a." * 20_000, id="an address without end"),
        pytest.param(" ://" * 40_000, id="addresses that are none"),
        pytest.param("- [ ] a\n" * 20_000, id="a task list without end"),
        pytest.param("```java\n" + "\n" * 90_000 + "```", id="code that its lexer cannot cope with"),
        pytest.param(("```cpp\n" + "\n" * 2_000 + "```\n") * 40, id="much of such code"),
    ],
)
def test_rendering_never_takes_minutes(text: str) -> None:
    began = time.process_time()

    render(text)

    # Each took from 30 seconds to several minutes; now two on a slow machine, and thrice that on a busy one.
    assert time.process_time() - began < 20


async def test_thinking_at_length_costs_no_more_for_each_thought(broadcasts: Broadcasts) -> None:
    live = broadcasts.begin("reply")
    began = time.process_time()

    for _ in range(15_000):
        broadcasts.add_reasoning(live, WORDS)

    assert live.reasoning == WORDS * 15_000
    # It took from eight seconds to a minute; now a twentieth of a second.
    assert time.process_time() - began < 5


async def test_telling_a_long_answer_costs_no_more_for_each_word(broadcasts: Broadcasts) -> None:
    live = broadcasts.begin("reply", "Once upon a time")

    async def reads(start: int) -> str:
        return "".join([str(told.data["text"]) async for told in text_of(broadcasts, "reply", start)])

    readers = [asyncio.create_task(reads(start)) for start in (0, 5, 16)]
    began = time.process_time()
    for _ in range(15_000):
        broadcasts.add(live, WORDS)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    broadcasts.end(live, "finished")

    whole = "Once upon a time" + WORDS * 15_000
    assert await asyncio.gather(*readers) == [whole, whole[5:], whole[16:]]
    # It took from eight seconds to a minute; now half a second.
    assert time.process_time() - began < 5


def test_what_a_person_pasted_is_shown_as_it_is() -> None:
    pasted = "# <b>A log</b>\n" * (LONGEST_OF_PEOPLE // 10)

    html = render(pasted, is_of_person=True)

    assert html.count("# &lt;b&gt;A log&lt;/b&gt;") == LONGEST_OF_PEOPLE // 10
    assert "<h1" not in html


def test_task_lists_have_boxes() -> None:
    html = render("1. [x] *moor*\n2. [ ] sail\n   - [ ] north\n3. [y] no box\n")

    assert html.count('type="checkbox"') == 3
    assert html.count('checked="checked"') == 1
    assert '<ol class="contains-task-list">' in html
    assert '<ul class="contains-task-list">' in html
    assert "[y] no box" in html


async def test_others_are_answered_while_a_long_message_is_rendered(cast: Cast, echo: str) -> None:
    body = "![" * (LONGEST_OF_PEOPLE // 2)  # a second's work
    posted = await cast.alice.client.post("/chats", data={"body": body, "model": echo})
    longest = asyncio.create_task(_longest_silence())

    began = time.monotonic()
    await cast.alice.client.get(posted.headers["location"])
    taken = time.monotonic() - began

    longest.cancel()
    silence = await longest
    assert taken > 0.2, "the premise: this is work"
    assert silence < taken / 2


async def test_a_reply_that_is_slow_to_render_rests_between_its_steps() -> None:
    live = LiveReply("reply")
    live.add("![" * 3_000)
    live.html()
    rendered = live.rendered_version

    live.add("![")
    live.html()
    at_once = live.rendered_version
    await live.rested()
    live.html()

    assert at_once == rendered
    assert live.rendered_version == live.version


async def _longest_silence() -> float:
    """For how long at most the event loop did not come round, in seconds."""
    longest = 0.0
    while True:
        began = time.monotonic()
        try:
            await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            return longest
        longest = max(longest, time.monotonic() - began)
