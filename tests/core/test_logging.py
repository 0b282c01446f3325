"""Logs say what happened and to which request, and nothing of what people wrote."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core import logging as logs
from app.core.database import Database
from app.core.settings import Settings
from app.logs import OURS, REQUEST_ID, Log

SECRET = "sk-what-nobody-may-read"


@pytest.fixture
def json_logs() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    handlers, levels = root.handlers, (root.level, ours.level)
    logs.configure(Settings(_env_file=None, log_format="json"))
    yield
    root.handlers = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    REQUEST_ID.set("")


@pytest.mark.usefixtures("json_logs")
def test_each_event_is_one_line_of_json_with_the_requests_id(capsys: pytest.CaptureFixture[str]) -> None:
    # Configured again: only now does standard error belong to the capture.
    logs.configure(Settings(_env_file=None, log_format="json"))
    REQUEST_ID.set("r1")
    Log("test").info("happened", ms=3)
    logging.getLogger("library").warning("a library's %s", "warning")

    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["request_id"], ours["ms"], ours["level"]) == ("happened", "r1", 3, "info")
    assert (theirs["event"], theirs["request_id"], theirs["logger"]) == (
        "a library's warning",
        "r1",
        "library",
    )


@pytest.mark.usefixtures("json_logs")
@pytest.mark.parametrize("shape", ["json", "text"])
def test_a_traceback_shows_where_and_not_with_what(shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(_env_file=None, log_format=shape))  # type: ignore[arg-type]
    try:
        _break_with(SECRET)
    except RuntimeError as error:
        Log("test").error("unforeseen", raised=error)

    written = capsys.readouterr().err
    assert "_break_with" in written
    assert SECRET not in written


@pytest.mark.usefixtures("json_logs")
@pytest.mark.parametrize("shape", ["json", "text"])
def test_whatever_stands_in_a_value_one_event_is_one_line(
    shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(Settings(_env_file=None, log_format=shape))  # type: ignore[arg-type]

    Log("test").warning("happened", path="/a\nlevel=error \x1b[31m\x85\u202e")
    logging.getLogger("library").warning("a line\nand %s", "another\r\n")

    written = capsys.readouterr().err
    assert written.count("\n") == 2
    assert "\x1b" not in written


@pytest.mark.usefixtures("json_logs")
@pytest.mark.parametrize("shape", ["json", "text"])
def test_a_library_that_tells_wrongly_gives_nothing_away(
    shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(Settings(_env_file=None, log_format=shape))  # type: ignore[arg-type]

    logging.getLogger("library").warning("%d", SECRET)
    logging.getLogger("library").warning("odd", extra={"details": SECRET})

    written = capsys.readouterr().err
    assert [line.count("library") for line in written.splitlines()] == [1, 1]
    assert SECRET not in written


@pytest.mark.usefixtures("json_logs")
@pytest.mark.parametrize(("least", "told"), [("DEBUG", 2), ("INFO", 2), ("WARNING", 1), ("ERROR", 0)])
def test_a_level_is_for_events_of_ours_and_of_libraries_warnings_only(
    least: str, told: int, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(Settings(_env_file=None, log_format="text", log_level=least))  # type: ignore[arg-type]

    Log("test").info("small")
    Log("test").warning("large")
    logging.getLogger("library").info("chatter")

    assert len(capsys.readouterr().err.splitlines()) == told


class _Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("It broke.")


@pytest.mark.usefixtures("json_logs")
@pytest.mark.parametrize("shape", ["json", "text"])
@pytest.mark.parametrize(
    "odd", ["half \ud83d", 10**30, pytest.param(10**5_000, id="beyond str"), {("a", 1): 2}, _Unshowable()]
)
def test_whatever_is_told_is_written_and_fails_nobody(
    shape: str, odd: object, capsys: pytest.CaptureFixture[str]
) -> None:
    # As standard error itself is; that of the capture is stricter.
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    logs.configure(Settings(_env_file=None, log_format=shape))  # type: ignore[arg-type]

    Log("test").info("happened", odd=odd, ms=3)  # type: ignore[arg-type]

    [line] = capsys.readouterr().err.splitlines()
    assert "happened" in line
    assert "odd" in line


async def test_an_error_of_the_database_does_not_quote_what_was_to_be_stored(database: Database) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with database.reading() as session:
            await session.execute(text("SELECT :secret FROM nowhere"), {"secret": SECRET})

    assert "nowhere" in str(raised.value)
    assert SECRET not in str(raised.value)


def _break_with(_key: str) -> None:
    raise RuntimeError("It broke.")
