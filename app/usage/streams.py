"""Downloads of what is on screen, streamed."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database import Database
from app.usage import export
from app.usage.access import View, Wish, question


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"


MEDIA_TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.JSON: "application/json"}


def _shape(shape: Annotated[Format, Query(alias="format")] = Format.CSV) -> Format:
    return shape


Shape = Annotated[Format, Depends(_shape)]


async def download(
    request: Request, session: AsyncSession, view: View, wish: Wish, shape: Format
) -> StreamingResponse:
    """The sums behind a page, as a file."""
    asked = await question(session, view, wish)
    database: Database = request.app.state.database
    write = export.as_csv if shape is Format.CSV else export.as_json
    name = _file_name(asked.range.first, asked.range.last, shape)
    return StreamingResponse(
        write(database, view.viewer, asked),
        media_type=MEDIA_TYPES[shape],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _file_name(first: date, last: date, shape: Format) -> str:
    return f"usage-{first}-to-{last}.{shape}"
