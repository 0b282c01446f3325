"""Static files: styles and scripts are joined when the server starts, and named by what they contain.

`/static/app.css` and `/static/app.js` are made of one small file per component and per behaviour; their
addresses carry a hash, so that browsers keep them for a year and never show an old one.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

from app.core.settings import ROOT

STATIC = ROOT / "static"
IMPORT = re.compile(r'@import\s+"(?P<path>[^"]+)"(?:\s+layer\((?P<layer>[a-z]+)\))?;')
STYLE_URL = re.compile(r"url\((?P<path>[^)\"':]+)\)")


@cache
def asset(name: str) -> str:
    """The address of a static file with the hash of its content: `asset("app.css")`, `asset("icons.svg")`."""
    return f"/static/{name}?v={hashlib.sha256(content_of(name)).hexdigest()[:12]}"


@cache
def content_of(name: str) -> bytes:
    """What is served at `/static/{name}`. Raises FileNotFoundError."""
    if name == "app.css":
        return _joined_styles().encode()
    if name == "app.js":
        return _joined_scripts().encode()
    return (STATIC / name).read_bytes()


def _joined_styles() -> str:
    index = STATIC / "css" / "index.css"

    def inline(match: re.Match[str]) -> str:
        text = _with_hashed_urls(index.parent / match["path"])
        return f"@layer {match['layer']} {{\n{text}}}\n" if match["layer"] else text

    return IMPORT.sub(inline, index.read_text())


def _with_hashed_urls(path: Path) -> str:
    def address(match: re.Match[str]) -> str:
        file = (path.parent / match["path"]).resolve()
        return f"url({asset(str(file.relative_to(STATIC)))})"

    return STYLE_URL.sub(address, path.read_text())


def _joined_scripts() -> str:
    """htmx and its extensions first, then one behaviour after another, each in a scope of its own."""
    vendored = sorted((STATIC / "vendor").glob("htmx-*.js")) + sorted((STATIC / "vendor").glob("hx-*.js"))
    behaviours = sorted((STATIC / "js").glob("*.js"))
    own = (f"(() => {{\n{path.read_text()}}})();\n" for path in behaviours)
    return "\n".join([*(path.read_text() for path in vendored), *own])
