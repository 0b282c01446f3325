"""The settings as people read them: the text of `.env.example` and the table in the documentation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic.fields import FieldInfo

from app.core.settings import Settings

ENV_EXAMPLE_INTRODUCTION = """\
# Every setting of Parley, with its default. None is required.
# Copy this file to .env and remove the # in front of what you change.
"""


@dataclass(frozen=True)
class Described:
    """One setting: its name in the environment, its default as one would write it there, and one line."""

    name: str
    default: str
    description: str


def described() -> Iterator[Described]:
    for name, field in Settings.model_fields.items():
        yield Described(name.upper(), _default(field), field.description or "")


def env_example() -> str:
    """What `.env.example` holds."""
    parts = (f"# {setting.description}\n# {setting.name}={setting.default}\n" for setting in described())
    return "\n".join([ENV_EXAMPLE_INTRODUCTION, *parts])


def markdown_table() -> str:
    """One row for each setting."""
    rows = (
        f"| `{setting.name}` | {f'`{setting.default}`' if setting.default else 'empty'} | {setting.description} |"
        for setting in described()
    )
    return "\n".join(["| Setting | Default | What it does |", "| --- | --- | --- |", *rows]) + "\n"


def _default(field: FieldInfo) -> str:
    match field.default:
        case tuple(parts):
            return ",".join(str(part) for part in parts)
        case bool(value):
            return str(value).lower()
        case Path() | str() | int() | float() as value:
            return str(value)
        case other:
            raise TypeError(f"A default of this kind cannot be written into .env: {other!r}")
