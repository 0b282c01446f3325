"""`parley settings`: every setting with its default, as a file to copy or as a table."""

from enum import StrEnum
from typing import Annotated

import typer


class Format(StrEnum):
    ENV = "env"
    MARKDOWN = "markdown"


def settings(
    shape: Annotated[Format, typer.Option("--format", help="A .env file, or a Markdown table.")] = Format.ENV,
) -> None:
    """Print every setting with its default."""
    from app.core.settings_reference import env_example, markdown_table

    typer.echo(env_example() if shape is Format.ENV else markdown_table(), nl=False)
