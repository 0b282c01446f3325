"""What the open pages of a person hear: which chat changed, and how. Hints; pages look at the database."""

from enum import StrEnum

from app.live.hub import Hub


class News(StrEnum):
    POSTED = "posted"
    """Messages were added to the branch being read."""
    REPLY_ENDED = "reply_ended"
    BRANCH_CHANGED = "branch_changed"
    """Another branch is being read, or an answer was replaced."""
    CHAT_CHANGED = "chat_changed"
    """Title, place in the list, or being there at all."""


def stream_of_owner(user_id: str) -> str:
    """The hub's name for what happens to a person's chats."""
    return f"chats:{user_id}"


def tell(hub: Hub, user_id: str, chat_id: str, news: News, *, page: str = "", reply_id: str = "") -> None:
    """Let the person's open pages and sockets know. `page` is the one that did it.

    `reply_id` is the reply that began: the page of a new message shows it by itself, and sockets tell it even when it
    has ended.
    """
    event = {"news": news.value, "chat": chat_id, "page": page, "reply": reply_id}
    hub.publish(stream_of_owner(user_id), event)
