"""What the house promises of its own source. Import contracts are held by `lint-imports` (pyproject.toml)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from sqlalchemy.orm import Mapper

from app import schema
from app.accounts.access import CurrentAdministrator
from app.core.database import Base
from app.core.settings import ROOT, Settings
from app.main import create_app

LONGEST_MODULE = 350
# A room's doors and what stands right behind them; tables and verbs know nothing of the web.
MAY_KNOW_THE_WEB = re.compile(
    r"(.+_)?pages|(.+_)?api|socket|streams|(.+_)?access|parameters|(.+_)?forms|cookies|sse"
)
OPENERS = ("app.main", "app.admin.router", "app.accounts.pages")
"""They include routers; all others take from a door what should stand behind it."""
VERB_ROOMS = ("accounts", "catalog", "usage", "gateway", "chats", "live", "commands")
FLOORS = ("core", "accounts", "catalog", "usage", "gateway", "chats")
FOREIGN_NAMES = {"utils", "helpers", "service", "services", "manager", "misc", "common"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def source_files(*folders: str, suffix: str = ".py") -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}"))


def test_every_admin_route_carries_the_guard() -> None:
    guard = CurrentAdministrator.__metadata__[0].dependency
    routes = [route for route in _routes() if route.path.startswith("/admin")]

    assert routes, "there should be something to guard"
    for route in routes:
        assert guard in _calls(route.dependant), f"{route.path} is open to members"


def test_doors_are_opened_and_used_for_nothing_else() -> None:
    """Import contracts name some of them; this knows each by its router."""
    doors = {
        _module(path)
        for path in source_files("app")
        if "router = APIRouter(" in path.read_text() and _module(path) not in OPENERS
    }
    used = [
        f"{_module(path)} uses {name}"
        for path in source_files("app")
        if _module(path) not in OPENERS
        for name in _imported(path)
        if name in doors or name.rpartition(".")[0] in doors
    ]

    assert len(doors) > 30
    assert used == []


def test_every_fragment_is_used() -> None:
    templates = source_files("templates", suffix=".html")
    everything = "\n".join(path.read_text() for path in [*templates, *source_files("app")])
    for fragment in (path for path in templates if path.name.startswith("_")):
        assert str(fragment.relative_to(ROOT / "templates")) in everything, f"nobody shows {fragment}"


@pytest.mark.parametrize(
    "path", source_files("app", "tests", "bench", "migrations"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_module_is_short_finished_and_named_for_what_it_does(path: Path) -> None:
    text = path.read_text()

    assert len(text.splitlines()) <= LONGEST_MODULE
    assert path.stem not in FOREIGN_NAMES
    if path != Path(__file__):
        assert not UNFINISHED.search(text)


def test_tables_and_verbs_know_nothing_of_the_web() -> None:
    knowing = [
        str(path.relative_to(ROOT))
        for path in source_files(*(f"app/{room}" for room in VERB_ROOMS))
        if not MAY_KNOW_THE_WEB.fullmatch(path.stem) and {"fastapi", "starlette"} & set(_imported(path))
    ]
    assert knowing == []


def test_foreign_keys_point_down() -> None:
    rooms = {mapper.local_table.name: mapper.class_.__module__.split(".")[1] for mapper in _mappers()}
    for table in schema.metadata.sorted_tables:
        for key in table.foreign_keys:
            target = key.column.table.name
            assert FLOORS.index(rooms[target]) <= FLOORS.index(rooms[table.name]), f"{table.name} → {target}"


def test_pages_hold_no_inline_script_or_style() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|<[^>]*\s(style|on[a-z]+|hx-on\S*)=|\|\s*safe\b")
    for path in source_files("templates", suffix=".html"):
        found = inline.search(path.read_text())
        assert found is None, f"{path.relative_to(ROOT)}: {found and found.group()}"


def _routes() -> Iterator[RouteContext]:
    app = create_app(Settings(_env_file=None))
    return (route for route in iter_route_contexts(app.routes) if getattr(route, "path", None))


def _calls(dependant: Dependant) -> Iterator[object]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _calls(dependency)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def _mappers() -> Iterator[Mapper[object]]:
    return iter(Base.registry.mappers)


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
