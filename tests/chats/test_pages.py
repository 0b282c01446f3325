"""Conversations in the browser, also without scripts."""

import re
from html.parser import HTMLParser

import httpx
import pytest

from tests.cast import HTMX, Cast, Person
from tests.chats.waiting import finished_replies


async def starts(person: Person, question: str, model: str) -> str:
    """The address of a new conversation that begins with `question`."""
    response = await person.client.post("/chats", data={"body": question, "model": model})
    assert response.status_code == 303, response.text
    return response.headers["location"]


async def test_a_conversation_begins_with_its_first_message(cast: Cast, echo: str) -> None:
    before = (await cast.alice.client.get("/api/chats")).json()["chats"]

    address = await starts(cast.alice, "Where is the lighthouse?\nI cannot see it.", echo)
    await finished_replies(cast.alice, address)
    shown = await cast.alice.client.get(address)

    assert before == []
    assert "Where is the lighthouse?" in shown.text
    assert "<title>Where is the lighthouse?" in shown.text
    assert shown.text.count("<article") == 2


async def test_the_model_used_last_is_offered_first(cast: Cast, echo: str) -> None:
    await starts(cast.alice, "Hello", "echo/echo-slow")

    again = await cast.alice.client.post("/chats", data={"body": "Hello again"})

    chat_id = again.headers["location"].rsplit("/", 1)[1]
    assert (await cast.alice.client.get(f"/api/chats/{chat_id}")).json()["model"] == "echo/echo-slow"


@pytest.mark.parametrize("body", ["", "   \n ", "a" * 200_001, "nul\x00nul"])
async def test_what_cannot_be_sent_is_refused_with_a_sentence(cast: Cast, echo: str, body: str) -> None:
    response = await cast.alice.client.post("/chats", data={"body": body, "model": echo})

    assert response.status_code == 422
    assert re.search(r"message|character", response.text)
    assert (await cast.alice.client.get("/api/chats")).json()["chats"] == []


async def test_another_answer_stands_beside_the_first(cast: Cast, echo: str) -> None:
    address = await starts(cast.alice, "Say it", echo)
    first = (await finished_replies(cast.alice, address))[0]

    regenerated = await cast.alice.client.post(f"{address}/messages/{first['id']}/variants", headers=HTMX)
    second = (await finished_replies(cast.alice, address))[0]
    chosen = await cast.alice.client.post(f"{address}/variants/{first['id']}", headers=HTMX)

    assert regenerated.status_code == 200
    assert second["id"] != first["id"]
    assert second["parent_id"] == first["parent_id"]
    assert first["id"] in chosen.text
    assert second["id"] not in re.sub(r'(?:href|action|hx-post)="[^"]*"', "", chosen.text)
    assert (await finished_replies(cast.alice, address))[0]["id"] == first["id"]


async def test_deleting_can_be_undone(cast: Cast, echo: str) -> None:
    address = await starts(cast.alice, "Keep me", echo)

    await cast.alice.client.post(f"{address}/deletion")
    gone = await cast.alice.client.get(address)
    await cast.alice.client.post(f"{address}/restoration")
    back = await cast.alice.client.get(address)

    assert gone.status_code == 404
    assert back.status_code == 200
    assert "Keep me" in back.text


async def test_a_title_is_changed_in_place(cast: Cast, echo: str) -> None:
    address = await starts(cast.alice, "Before", echo)

    renamed = await cast.alice.client.post(f"{address}/title", data={"title": " After \n all "}, headers=HTMX)
    refused = await cast.alice.client.post(f"{address}/title", data={"title": "x" * 121}, headers=HTMX)

    assert "After all" in renamed.text
    assert refused.status_code == 422
    assert "After all" in (await cast.alice.client.get(address)).text


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click](  JaVaScRiPt:alert(1))",
    "![spy](https://spy.example/x.png)",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "```<script>alert(1)</script>\ncode\n```",
    "<div hx-get='/logout' hx-trigger='load'>x</div>",
    "[x](data:text/html,<script>alert(1)</script>)",
    '<a href="https://a.example" onclick="alert(1)">x</a>',
    "<svg><animate onbegin=alert(1)>",
    "[a]: javascript:alert(1)\n\n[a]",
]


class Markup(HTMLParser):
    """Collects what could do harm."""

    def __init__(self) -> None:
        super().__init__()
        self.harm: list[str] = []
        self.is_in_article = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_in_article = self.is_in_article or tag == "article"
        if not self.is_in_article:
            return
        if tag in ("script", "img", "iframe", "object", "embed", "style", "animate"):
            self.harm.append(tag)
        for name, value in attrs:
            is_link_to_code = name in ("href", "src") and (value or "").strip().lower().startswith(
                ("javascript:", "data:")
            )
            if name.startswith("on") or is_link_to_code or (name, value) == ("hx-get", "/logout"):
                self.harm.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self.is_in_article = False


@pytest.mark.parametrize("attack", ATTACKS)
async def test_markup_in_a_message_does_nothing(cast: Cast, echo: str, attack: str) -> None:
    address = await starts(cast.alice, attack, echo)
    await finished_replies(cast.alice, address)

    shown = await cast.alice.client.get(address)

    markup = Markup()
    markup.feed(shown.text)
    assert shown.text.count("<article") == 2
    assert markup.harm == []


async def test_earlier_messages_come_a_page_at_a_time(cast: Cast, echo: str) -> None:
    address = await starts(cast.alice, "question number 0.", echo)
    chat_id = address.rsplit("/", 1)[1]
    for number in range(1, 20):
        await cast.alice.client.post(
            f"/api/chats/{chat_id}/messages", json={"content": f"question number {number}.", "model": echo}
        )

    newest = await cast.alice.client.get(address)
    earlier = _link_to_earlier(newest)
    fragment = await cast.alice.client.get(earlier, headers=HTMX)
    whole_page = await cast.alice.client.get(earlier)

    assert "question number 19." in newest.text
    assert "question number 0." not in re.sub(
        r"<title>.*|<aside.*</aside>|<h1.*</h1>", "", newest.text, flags=re.DOTALL
    )
    assert "question number 0." in fragment.text
    assert "<html" not in fragment.text
    assert "<html" in whole_page.text
    assert "question number 0." in whole_page.text


def _link_to_earlier(response: httpx.Response) -> str:
    found = re.search(r'href="(/chats/[^"]+/messages\?before=[^"]+)"', response.text)
    assert found is not None
    return found[1]


async def test_a_conversation_has_instructions_of_its_own(cast: Cast, echo: str) -> None:
    address = await starts(cast.alice, "Hello", echo)

    own = await cast.alice.client.post(f"{address}/instructions", data={"system_prompt": "Answer in rhymes."})
    shown = await cast.alice.client.get(f"{address}/instructions")
    chat = (await cast.alice.client.get(f"/api{address}")).json()
    await cast.alice.client.post(
        f"{address}/instructions", data={"inherit": "on", "system_prompt": "Ignored."}
    )
    inherited = (await cast.alice.client.get(f"/api{address}")).json()
    too_long = await cast.alice.client.post(f"{address}/instructions", data={"system_prompt": "x" * 50_001})

    assert own.status_code == 303
    assert "Answer in rhymes." in shown.text
    assert chat["system_prompt"] == "Answer in rhymes."
    assert inherited["system_prompt"] is None
    assert too_long.status_code == 422
