"""What the form of the message box brings: words, the chosen model, images."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from app.accounts.models import User
from app.chats.images import KINDS, LARGEST_IMAGE, MOST_IMAGES, checked, refuse_many
from app.chats.models import Chat
from app.chats.posting import Draft
from app.chats.views import ComposerView
from app.core.ids import new_id
from app.core.settings import Settings
from app.providers.base import Image

LONGEST_FILE_NAME = 60


@dataclass(frozen=True)
class Written:
    """A form as it was sent."""

    body: str
    model: str
    key: str
    files: Sequence[UploadFile]

    async def draft(self, model: str) -> Draft:
        """What is to be said, to `model`. Raises Invalid, naming the file, when there is one that is no fit image."""
        # A form in which nothing was chosen holds one file without a name.
        chosen = [file for file in self.files if file.filename]
        refuse_many(len(chosen))
        return Draft(self.body, model, self.key, images=tuple([await _image(file) for file in chosen]))


@asynccontextmanager
async def written_in(request: Request) -> AsyncIterator[Written]:
    """The form of this request; its files are there until the block ends."""
    settings: Settings = request.app.state.settings
    # Whole requests are limited already. That there are too many words is told where one knows how many fit.
    async with request.form(max_part_size=settings.max_request_bytes) as form:
        files = [image for image in form.getlist("images") if isinstance(image, UploadFile)]
        yield Written(_text(form, "body"), _text(form, "model"), _text(form, "key"), files)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


async def _written(request: Request) -> AsyncIterator[Written]:
    async with written_in(request) as written:
        yield written


CurrentWritten = Annotated[Written, Depends(_written)]


def composer_for(
    request: Request, user: User, chat: Chat | None, *, body: str = "", refusal: str = ""
) -> ComposerView:
    """The form, empty or with what could not be sent and why."""
    settings: Settings = request.app.state.settings
    return ComposerView(
        action=f"/chats/{chat.id}/messages" if chat else "/chats",
        placeholder="Write a message" if chat else "Ask anything",
        # Several people may use one browser, one after the other.
        draft_key=chat.id if chat else f"new-{user.id}",
        key=new_id(),
        image_kinds=",".join(KINDS),
        most_images=MOST_IMAGES,
        largest_image=LARGEST_IMAGE,
        # The words need room in the same request.
        most_bytes=settings.max_request_bytes * 9 // 10,
        body=body,
        refusal=refusal,
    )


async def _image(file: UploadFile) -> Image:
    name = (file.filename or "")[:LONGEST_FILE_NAME]
    return checked(await file.read(LARGEST_IMAGE + 1), "images", f"“{name}”")
