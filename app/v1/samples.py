"""Settings and small programs that use Parley from elsewhere: one text each, for the page, the docs and the tests.

Each text works as it stands on an installation with the practice model; `filled` puts another address and model
in. None holds a key: programs read it from their environment.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.core.settings import ROOT

FOLDER = ROOT / "templates" / "v1" / "samples"

ADDRESS = "http://127.0.0.1:8000"
MODEL = "echo/echo"
WINDOW = "32768"
PLACES = re.compile("|".join(map(re.escape, (ADDRESS, MODEL, WINDOW))))

# Samples are pasted into shells: nothing that is special there may come in with a name.
SAFE_ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(/[\w./~-]*)?", re.ASCII)
SAFE_MODEL = re.compile(r"[\w][\w.:/@+-]*", re.ASCII)

LANGUAGES = {
    ".json": "json",
    ".mjs": "javascript",
    ".py": "python",
    ".sh": "sh",
    ".toml": "toml",
    ".yaml": "yaml",
}


@dataclass(frozen=True)
class Sample:
    """`about` says where the text belongs, and what else is to be known."""

    file: str
    title: str
    about: str

    @property
    def language(self) -> str:
        return LANGUAGES[Path(self.file).suffix]

    @property
    def text(self) -> str:
        return _read(self.file)


@dataclass(frozen=True)
class Filling:
    """What a sample is filled with: this server's address without a slash at its end, a model and its window."""

    address: str = ADDRESS
    model: str = MODEL
    window: int | None = None


PROGRAMS = (
    Sample("curl.sh", "curl", 'The whole answer at once; with `"stream": true` it comes in pieces.'),
    Sample(
        "with_openai.py", "Python, openai", "`pip install openai`. Here the answer is printed as it comes."
    ),
    Sample(
        "with_anthropic.py", "Python, anthropic", "`pip install anthropic`. The address is without `/v1`."
    ),
    Sample("with_ollama.py", "Python, ollama", "`pip install ollama`. The address ends with `/ollama`."),
    Sample("with_fetch.mjs", "JavaScript", "Node 18 or newer, Deno and Bun bring all that it needs."),
)
EDITORS = (
    Sample(
        "continue.yaml",
        "Continue",
        "In `~/.continue/config.yaml`; the key goes into `~/.continue/.env`, as `PARLEY_KEY=…`.",
    ),
    Sample(
        "zed.json",
        "Zed",
        "In `settings.json`. Zed asks for the key in its agent settings, or reads it from `PARLEY_API_KEY`. "
        "`max_tokens` is the model's context window.",
    ),
    Sample("aider.sh", "aider", "The first part of the model's name is aider's own, and is not sent."),
    Sample(
        "claude_code.sh",
        "Claude Code",
        "Leave `ANTHROPIC_API_KEY` unset. The header lets a model answer that cannot do everything that is asked for.",
    ),
    Sample(
        "codex.toml",
        "Codex",
        "In `~/.codex/config.toml`. The header is there for the same reason as with Claude Code.",
    ),
    Sample(
        "open_webui.sh",
        "Open WebUI",
        "Inside a container 127.0.0.1 is the container itself: use an address of this server that it can reach.",
    ),
)
ALL = {"Programs": PROGRAMS, "Editors and coding tools": EDITORS}


def filled(sample: Sample, filling: Filling) -> str:
    """The text for this server. What cannot be pasted safely is left as the sample has it."""
    instead = _instead(filling)
    return PLACES.sub(lambda found: instead[found[0]], sample.text)


def can_be_pasted(model: str) -> bool:
    """Whether a model's name means nothing else in a shell or a settings file."""
    return SAFE_MODEL.fullmatch(model) is not None


def _instead(filling: Filling) -> Mapping[str, str]:
    is_safe = SAFE_ADDRESS.fullmatch(filling.address) is not None
    return {
        ADDRESS: filling.address if is_safe else ADDRESS,
        MODEL: filling.model if can_be_pasted(filling.model) else MODEL,
        WINDOW: str(filling.window or WINDOW),
    }


@cache
def _read(file: str) -> str:
    return (FOLDER / file).read_text()
