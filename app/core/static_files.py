"""The door to `/static`: a fixed set of files, each compressed once and kept in memory."""

import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.core.assets import content_of, public_names, version_of
from app.core.errors import NotFound

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
ALREADY_COMPRESSED = frozenset({".woff2"})
FOREVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class StaticFile:
    """One file, ready to be sent. `version` is what its address carries as `?v=`."""

    body: bytes
    compressed: bytes | None
    media_type: str
    version: str


@router.api_route("/static/{name:path}", methods=["GET", "HEAD"])
async def static_file(request: Request, name: str) -> Response:
    # Looked up in a list instead of opened: no name leads outside of the folder.
    if name not in public_names():
        raise NotFound
    file = _prepared(name)
    headers = {
        "etag": f'"{file.version}"',
        "cache-control": FOREVER if request.query_params.get("v") == file.version else "no-cache",
        "vary": "accept-encoding",
    }
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if file.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            file.compressed, headers=headers | {"content-encoding": "gzip"}, media_type=file.media_type
        )
    return Response(file.body, headers=headers, media_type=file.media_type)


@cache
def _prepared(name: str) -> StaticFile:
    body = content_of(name)
    suffix = PurePosixPath(name).suffix
    return StaticFile(
        body=body,
        compressed=None if suffix in ALREADY_COMPRESSED else gzip.compress(body, mtime=0),
        media_type=MEDIA_TYPES[suffix],
        version=version_of(body),
    )
