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
JOINED = frozenset({"app.css", "app.js"})
PUBLIC = ("*.svg", "*.webmanifest", "fonts/*.woff2")
IMPORT = re.compile(r'@import\s+"(?P<path>[^"]+)"(?:\s+layer\((?P<layer>[a-z]+)\))?;')
STYLE_URL = re.compile(r"url\((?P<path>[^)\"':]+)\)")


@cache
def asset(name: str) -> str:
    """The address of a static file with its version: `asset("app.css")`, `asset("icons.svg")`."""
    return f"/static/{name}?v={version_of(content_of(name))}"


def version_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


@cache
def public_names() -> frozenset[str]:
    """Everything that `/static` serves; the sources that were joined are not among it."""
    files = (path for pattern in PUBLIC for path in STATIC.glob(pattern))
    return JOINED | {path.relative_to(STATIC).as_posix() for path in files}


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
        text = _with_versioned_addresses(index.parent / match["path"])
        return f"@layer {match['layer']} {{\n{text}}}\n" if match["layer"] else text

    return IMPORT.sub(inline, index.read_text())


def _with_versioned_addresses(path: Path) -> str:
    def address(match: re.Match[str]) -> str:
        file = (path.parent / match["path"]).resolve()
        return f"url({asset(str(file.relative_to(STATIC)))})"

    return STYLE_URL.sub(address, path.read_text())


def _joined_scripts() -> str:
    """htmx and its extensions first, then one behaviour after another, each in a scope of its own."""
    vendored = sorted((STATIC / "vendor").glob("htmx-*.js")) + sorted((STATIC / "vendor").glob("hx-*.js"))
    behaviours = sorted((STATIC / "js").glob("*.js"))
    own = (f"(() => {{\n{path.read_text()}}})();\n" for path in behaviours)
    return ";\n".join([*(path.read_text() for path in vendored), *own])
