"""Which models are ticked when a connection's list is seen for the first time."""

import re
from collections.abc import Sequence

from app.providers.base import ModelInfo

MOST_TICKED = 8
SHORT_LIST = 12
"""Lists up to this length are ticked whole: somebody chose these models on purpose."""

NOT_FOR_CHAT = re.compile(
    r"embed|whisper|(^|[-_/])tts|moderation|dall-?e|image|audio|speech|realtime|transcri|rerank|guard"
    r"|sora|davinci|babbage|instruct-0|search|computer-use|(^|[-_/])ocr|(^|[-_/])bge|safety|playai|orpheus|veo|lyria",
    re.IGNORECASE,
)
SNAPSHOT = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4})$")
PREVIEW = re.compile(r"preview|beta|exp(erimental)?\b|deprecated|gpt-3", re.IGNORECASE)
FIGURES = re.compile(r"\d+(?:\.\d+)?")


def sensible(models: Sequence[ModelInfo]) -> frozenset[str]:
    """The names to tick: what can chat; of long lists the newest few, and no dated copies of the same."""
    chatting = [model.name for model in models if can_chat(model)]
    if len(chatting) <= SHORT_LIST:
        return frozenset(chatting)
    names = set(chatting)
    current = [name for name in chatting if not PREVIEW.search(name) and not _is_copy(name, names)]
    return frozenset(sorted(current or chatting, key=_generation, reverse=True)[:MOST_TICKED])


def can_chat(model: ModelInfo) -> bool:
    """What the provider says, else what the name gives away."""
    return not model.embeddings and NOT_FOR_CHAT.search(model.name) is None


def _is_copy(name: str, names: set[str]) -> bool:
    undated = SNAPSHOT.sub("", name)
    return undated != name and undated in names


def _generation(name: str) -> float:
    """The first number in a name: lists do not tell ages, and version numbers come close."""
    figures = FIGURES.search(name.rpartition("/")[2])
    return float(figures[0]) if figures else 0.0
