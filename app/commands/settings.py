"""`parley settings`: every setting with its default, as a file to copy or as a table."""

import sys
from enum import StrEnum
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from app.core.settings import Settings


class Format(StrEnum):
    ENV = "env"
    MARKDOWN = "markdown"


def settings(
    shape: Annotated[Format, typer.Option("--format", help="A .env file, or a Markdown table.")] = Format.ENV,
) -> None:
    """Print every setting with its default."""
    from app.core.settings_reference import env_example, markdown_table

    typer.echo(env_example() if shape is Format.ENV else markdown_table(), nl=False)


def read_settings() -> Settings:
    """The settings, or the end of the command with a sentence for each that does not fit."""
    try:
        return Settings()
    except ValidationError as error:
        # Without the values: they may be secrets.
        stop("\n".join(f"{str(flaw['loc'][0]).upper()}: {flaw['msg']}." for flaw in error.errors()))


def stop(sentence: str) -> NoReturn:
    """End the command with a sentence and exit code 1."""
    typer.echo(sentence, err=True)
    sys.exit(1)
