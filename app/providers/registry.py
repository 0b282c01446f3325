"""The kinds of provider that exist. Only `catalog` opens this registry."""

from collections.abc import Callable
from dataclasses import dataclass

from app.providers.anthropic import Anthropic
from app.providers.base import Endpoint, Provider
from app.providers.echo import Echo
from app.providers.groq import Groq
from app.providers.lmstudio import LMStudio
from app.providers.ollama import Ollama
from app.providers.openai import OpenAI
from app.providers.openai_compatible import OpenAICompatible


@dataclass(frozen=True)
class Kind:
    """What the pages need to know of a kind before anything is connected.

    `icon` is a name in icons.svg, `hue` the number of a chart colour (0: grey). `takes_base_url` is False
    where there is nothing to reach; a kind without `default_base_url` cannot do without one.
    """

    name: str
    label: str
    icon: str
    hue: int
    open: Callable[[Endpoint], Provider]
    default_base_url: str = ""
    needs_key: bool = False
    accepts_key: bool = True
    takes_base_url: bool = True
    keeps_models_loaded: bool = False
    """Whether it can be told which models to hold in memory, as `memory.KeepsModelsLoaded` says."""


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "ollama",
            "Ollama",
            icon="cpu",
            hue=1,
            open=Ollama,
            default_base_url="http://127.0.0.1:11434",
            keeps_models_loaded=True,
        ),
        Kind(
            "openai",
            "OpenAI",
            icon="hexagon",
            hue=4,
            open=OpenAI,
            default_base_url="https://api.openai.com/v1",
            needs_key=True,
        ),
        Kind(
            "anthropic",
            "Anthropic",
            icon="asterisk",
            hue=3,
            open=Anthropic,
            default_base_url="https://api.anthropic.com",
            needs_key=True,
        ),
        Kind(
            "groq",
            "Groq",
            icon="zap",
            hue=5,
            open=Groq,
            default_base_url="https://api.groq.com/openai/v1",
            needs_key=True,
        ),
        Kind(
            "lmstudio",
            "LM Studio",
            icon="layers",
            hue=6,
            open=LMStudio,
            default_base_url="http://127.0.0.1:1234",
            keeps_models_loaded=True,
        ),
        Kind("openai-compatible", "OpenAI-compatible server", icon="plug", hue=2, open=OpenAICompatible),
        Kind(
            "echo",
            "Echo",
            icon="audio-waveform",
            hue=0,
            open=Echo,
            accepts_key=False,
            takes_base_url=False,
        ),
    )
}


def kind_named(name: str) -> Kind | None:
    """The kind that somebody means who types `OpenAI_compatible` or `lm-studio`."""
    typed = _plain(name)
    return next((kind for kind in KINDS.values() if _plain(kind.name) == typed), None)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")
