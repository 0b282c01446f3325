"""The settings a command works with, or its end with a sentence that says which line to correct."""

import os
import sys
from pathlib import Path
from typing import NoReturn

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.core.settings import Settings


def read_settings() -> Settings:
    """The settings, or the end of the command with a sentence for each that does not fit."""
    try:
        _refuse_lines_without_meaning()
        return Settings()
    except ValidationError as error:
        stop("\n".join(_sentence(flaw) for flaw in error.errors()))
    except UnicodeDecodeError:
        stop(".env is not in UTF-8. Save it again as plain text in that encoding.")
    except OSError as error:
        stop(f".env cannot be read: {error.strerror}. Let this user read it, or remove it.")


def stop(sentence: str) -> NoReturn:
    """End the command with a sentence and exit code 1."""
    typer.echo(sentence, err=True)
    sys.exit(1)


def _refuse_lines_without_meaning() -> None:
    if not Path(".env").exists():
        return
    # Only then: a server that has no such file does without the parser's memory.
    from app.commands import env_file

    if numbers := env_file.lines_without_meaning():
        stop(f"Line {numbers[0]} of .env is not NAME=value. Correct it, or put a # in front of it.")


def _sentence(flaw: ErrorDetails) -> str:
    # Without the value: it may be a secret.
    name = str(flaw["loc"][0]).upper()
    return f"{name}: {_wanted(flaw)}. {_where(name)}"


def _wanted(flaw: ErrorDetails) -> str:
    """What would fit."""
    limits = flaw.get("ctx", {})
    match flaw["type"]:
        case "int_parsing" | "int_type" | "int_from_float":
            return "this has to be a whole number"
        case "float_parsing" | "float_type":
            return "this has to be a number"
        case "bool_parsing" | "bool_type":
            return "this has to be true or false"
        case "literal_error":
            return f"this has to be {limits['expected'].replace(chr(39), '')}"
        case "greater_than_equal":
            return f"this has to be at least {limits['ge']}"
        case "greater_than":
            return f"this has to be more than {limits['gt']}"
        case "less_than_equal":
            return f"this has to be at most {limits['le']}"
        case _:
            return flaw["msg"].removeprefix("Value error, ").rstrip(".")


def _where(name: str) -> str:
    """Where it was set. The environment goes before the file."""
    from app.commands import env_file

    if any(set_name.upper() == name for set_name in os.environ):
        return "It was set in the environment, or as an option."
    number = env_file.line_of(name)
    return f"Correct line {number} of .env, or remove it for the default." if number else "See .env.example."
