"""Images that go with a question: checked, stored with it, told to models that can see, erased with it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from app.catalog.abilities import is_blind
from app.chats.models import Message, MessageImage
from app.core.errors import Invalid, NotFound
from app.providers.base import Image
from app.providers.pictures import decoded, dimensions_of, media_type_of

MOST_IMAGES = 8
"""With one question."""
LARGEST_IMAGE = 5_000_000
"""Bytes; what Anthropic takes, and others take more."""
LONGEST_SIDE = 16_384
"""Pixels; more than any model reads, and as much as browsers draw."""
MOST_PIXELS = 100_000_000
"""A few bytes can claim to be billions of them, for which whoever opens the conversation pays with memory."""
KINDS = ("image/jpeg", "image/png", "image/webp")
MOST_TOLD = 20
MOST_BYTES_TOLD = 20_000_000
"""Of a whole conversation: the newest images count."""
LEFT_OUT = "[There was an image here.]"
"""What a model is told where it does not get an image."""


class CannotSee(Invalid):
    """The model that was asked sees no images."""

    code = "no_vision"
    title = "This model cannot see images"


def images_from(given: Sequence[str]) -> tuple[Image, ...]:
    """Images in base64, also as `data:` URLs. Raises Invalid when there is one that is not fit to be stored."""
    refuse_many(len(given))
    return tuple(_image_from(data, f"images.{index}") for index, data in enumerate(given))


def refuse_many(count: int) -> None:
    """Raises Invalid when these are more images than a message may have."""
    if count > MOST_IMAGES:
        raise Invalid(f"A message may have at most {MOST_IMAGES} images. Send fewer.", field="images")


def checked(content: bytes, field: str, name: str = "An image") -> Image:
    """An image, by its first bytes, its size, and the size that it claims to have; it is not decoded.

    Raises Invalid with a sentence about `name`.
    """
    if len(content) > LARGEST_IMAGE:
        raise _too_large(field, name)
    media_type = media_type_of(content)
    if media_type not in KINDS:
        raise Invalid(f"{name} has to be a JPEG, a PNG or a WebP. Convert it first.", field=field)
    width, height = dimensions_of(content) or (0, 0)
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise Invalid(
            f"{name} is {width:,} × {height:,} pixels large. Send one of at most {LONGEST_SIDE:,} on each side, "
            f"and {MOST_PIXELS // 1_000_000} million in all.",
            field=field,
        )
    return Image(media_type, content)


def is_fit(content: bytes) -> bool:
    """Whether `checked` takes it: for images that came another way, and are left out otherwise."""
    try:
        checked(content, "images")
    except Invalid:
        return False
    return True


async def refuse_blind(session: AsyncSession, model: str) -> None:
    """Raises CannotSee when this model is known to see no images."""
    if await is_blind(session, model):
        raise CannotSee(
            f"{model} cannot see images. Choose a model that can, or send the message without them.",
            field="images",
        )


async def store(session: AsyncSession, question: Message, images: Sequence[Image]) -> None:
    question.image_count = len(images)
    session.add_all(
        MessageImage(
            message_id=question.id,
            position=position,
            media_type=image.media_type,
            size=len(image.data),
            data=image.data,
        )
        for position, image in enumerate(images)
    )
    await session.flush()


async def images_of(session: AsyncSession, messages: Iterable[Message]) -> dict[str, list[MessageImage]]:
    """The images of these messages, by the message's id, in their order; without their bytes."""
    ids = [message.id for message in messages if message.image_count]
    images: defaultdict[str, list[MessageImage]] = defaultdict(list)
    if ids:
        query = select(MessageImage).where(MessageImage.message_id.in_(ids))
        for image in await session.scalars(query.order_by(MessageImage.message_id, MessageImage.position)):
            images[image.message_id].append(image)
    return images


async def are_of(session: AsyncSession, message: Message, images: Sequence[Image]) -> bool:
    """Whether the message has these images, in their order, and no others."""
    if message.image_count != len(images):
        return False
    return not images or (await _read(session, [message.id]))[message.id] == tuple(images)


async def image_of(session: AsyncSession, message: Message, image_id: str) -> MessageImage:
    """An image, with its bytes, of a message that was found through the person asking. Raises NotFound."""
    image = await session.scalar(
        select(MessageImage)
        .where(MessageImage.id == image_id, MessageImage.message_id == message.id)
        .options(undefer(MessageImage.data))
    )
    if image is None:
        raise NotFound
    return image


async def told(session: AsyncSession, newest_first: Sequence[str]) -> dict[str, tuple[Image, ...]]:
    """What a model is shown of these messages, by their ids: the newest images, as many as may be told at once.

    A message whose images are too many is not in it.
    """
    sizes = await _sizes(session, newest_first)
    chosen: list[str] = []
    count = bytes_told = 0
    for message_id in newest_first:
        count += len(sizes[message_id])
        bytes_told += sum(sizes[message_id])
        if count > MOST_TOLD or bytes_told > MOST_BYTES_TOLD:
            break
        chosen.append(message_id)
    return await _read(session, chosen)


async def _sizes(session: AsyncSession, message_ids: Sequence[str]) -> dict[str, list[int]]:
    query = select(MessageImage.message_id, MessageImage.size)
    sizes: defaultdict[str, list[int]] = defaultdict(list)
    for message_id, size in await session.execute(query.where(MessageImage.message_id.in_(message_ids))):
        sizes[message_id].append(size)
    return sizes


async def _read(session: AsyncSession, message_ids: Sequence[str]) -> dict[str, tuple[Image, ...]]:
    rows = await session.execute(
        select(MessageImage.message_id, MessageImage.media_type, MessageImage.data)
        .where(MessageImage.message_id.in_(message_ids))
        .order_by(MessageImage.message_id, MessageImage.position)
    )
    images: defaultdict[str, tuple[Image, ...]] = defaultdict(tuple)
    for message_id, media_type, data in rows:
        images[message_id] += (Image(media_type, data),)
    return images


def _image_from(data: str, field: str) -> Image:
    # A data: URL, too: scripts in browsers have images as such. Nothing is ever fetched.
    encoded = data.partition(";base64,")[2] if data.startswith("data:") else data
    if len(encoded) > LARGEST_IMAGE * 4 // 3 + 4:
        raise _too_large(field)
    try:
        content = decoded(encoded)
    except ValueError as error:
        raise Invalid("This is not an image in base64. Encode the image's bytes.", field=field) from error
    return checked(content, field)


def _too_large(field: str, name: str = "An image") -> Invalid:
    return Invalid(
        f"{name} may have at most {LARGEST_IMAGE / 1_000_000:g} MB. Send a smaller one.", field=field
    )
