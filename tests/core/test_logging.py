"""Logs say what happened and to which request, and nothing of what people wrote."""

import json
import logging
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core import logging as logs
from app.core.database import Database
from app.core.settings import Settings
from app.logs import OURS, REQUEST_ID, Log
from tests.cast import BASE_URL, Cast

SECRET = "sk-what-nobody-may-read"
in_both_shapes = pytest.mark.parametrize("shape", ["json", "text"])


@pytest.fixture
def configure() -> Iterator[Callable[..., None]]:
    """Configures logs as these settings say, for one test. Standard error belongs to the capture only while that runs."""
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    handlers, levels = root.handlers, (root.level, ours.level)
    yield lambda **settings: logs.configure(Settings(_env_file=None, **settings))
    root.handlers = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    REQUEST_ID.set("")


def test_each_event_is_one_line_of_json_with_the_requests_id(
    configure: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure(log_format="json")
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


@in_both_shapes
def test_a_traceback_shows_where_and_not_with_what(
    configure: Callable[..., None], shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(log_format=shape)
    try:
        _break_with(SECRET)
    except RuntimeError as error:
        Log("test").error("unforeseen", raised=error)

    written = capsys.readouterr().err
    assert "_break_with" in written
    assert SECRET not in written


@in_both_shapes
def test_whatever_stands_in_a_value_one_event_is_one_line(
    configure: Callable[..., None], shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(log_format=shape)
    Log("test").warning("happened", path="/a\nlevel=error \x1b[31m\x85\u202e")
    logging.getLogger("library").warning("a line\nand %s", "another\r\n")

    written = capsys.readouterr().err
    assert written.count("\n") == 2
    assert "\x1b" not in written


@in_both_shapes
def test_a_library_that_tells_wrongly_gives_nothing_away(
    configure: Callable[..., None], shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(log_format=shape)
    logging.getLogger("library").warning("%d", SECRET)
    logging.getLogger("library").warning("odd", extra={"details": SECRET})

    written = capsys.readouterr().err
    assert [line.count("library") for line in written.splitlines()] == [1, 1]
    assert SECRET not in written


@pytest.mark.parametrize(("least", "told"), [("DEBUG", 2), ("INFO", 2), ("WARNING", 1), ("ERROR", 0)])
def test_a_level_is_for_events_of_ours_and_of_libraries_warnings_only(
    configure: Callable[..., None], least: str, told: int, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(log_level=least)

    Log("test").info("small")
    Log("test").warning("large")
    logging.getLogger("library").info("chatter")

    assert len(capsys.readouterr().err.splitlines()) == told


class _Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("It broke.")


@in_both_shapes
@pytest.mark.parametrize(
    "odd", ["half \ud83d", 10**30, pytest.param(10**5_000, id="beyond str"), {("a", 1): 2}, _Unshowable()]
)
def test_whatever_is_told_is_written_and_fails_nobody(
    configure: Callable[..., None], shape: str, odd: object, capsys: pytest.CaptureFixture[str]
) -> None:
    # As standard error itself is; that of the capture is stricter.
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    configure(log_format=shape)

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


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/admin/usage", "/admin/usage"),
        ("/admin/users/nobody/deletion", "/admin/users/{user_id}/{act}"),
        ("/settings", "/settings"),
        ("/invitations/a-token", "/invitations/{token}"),
    ],
)
async def test_a_request_is_told_by_the_whole_pattern_of_its_address(
    configure: Callable[..., None], cast: Cast, path: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(log_format="json")

    await cast.alice.client.get(path)

    requests = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["path"] for line in requests if line["event"] == "request"] == [told]


async def test_what_nobody_foresaw_is_answered_with_the_id_under_which_the_log_tells_of_it(
    configure: Callable[..., None], app: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    @app.get("/broken")
    async def break_down() -> None:
        _break_with(SECRET)

    configure(log_format="json")

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=BASE_URL
    ) as visitor:
        response = await visitor.get("/broken")

    assert response.status_code == 500
    assert "This was our mistake" in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    request_id = response.headers["x-request-id"]
    assert [(line["event"], line["request_id"]) for line in told] == [
        ("unforeseen", request_id),
        ("request", request_id),
    ]
    assert told[1]["status"] == 500
