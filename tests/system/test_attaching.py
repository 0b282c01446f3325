"""Images in the message box, in Chromium: chosen, pasted, dropped, taken away again, and sent."""

import re
import struct
import zlib
from typing import Any

from playwright.async_api import FilePayload, Page, expect

from app.core.database import Database
from tests.cast import Cast
from tests.chats.test_images import GIF, blind, widen  # noqa: F401  (a fixture)
from tests.system.conftest import OpenPage
from tests.system.looking import DESK, PHONE, examine

DROP = """([kind, name, bytes]) => {
  const data = new DataTransfer()
  data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }))
  const target = kind === "paste" ? document.activeElement : document.querySelector("[data-follow], .welcome")
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true })
  target.dispatchEvent(event)
}"""


def png(width: int, height: int) -> bytes:
    """A picture of one colour, as small as pictures get."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    row = b"\x00" + bytes((80, 200, 220)) * width
    pixels = zlib.compress(row * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


PICTURE = png(64, 40)


def file(name: str, content: bytes = PICTURE, kind: str = "image/png") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


def attached(page: Page) -> Any:
    return page.get_by_role("list", name="Attached images").get_by_role("listitem")


async def lets_in(page: Page, kind: str, name: str) -> None:
    await page.evaluate(DROP, [kind, name, list(PICTURE)])


async def test_images_are_attached_in_every_way_and_sent(
    cast: Cast, echo: str, database: Database, open_page: OpenPage
) -> None:
    await widen(database, echo)
    page = await open_page("/", cast.alice, **DESK, reduced_motion="reduce")
    box = page.get_by_label("Message", exact=True)
    await page.get_by_role("button", name="Model:").click()
    await page.get_by_placeholder("Search").fill("fast")
    await page.keyboard.press("Enter")
    await box.fill("What are these?")

    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Attach images").click()
    await (await chooser.value).set_files([file("boat.png"), file("cat.gif", GIF, "image/gif")])
    await expect(attached(page)).to_have_count(1)
    await expect(page.get_by_role("status").get_by_text("cat.gif is no JPEG")).to_be_visible()
    await lets_in(page, "dragover", "quay.png")
    await expect(page.get_by_text("Drop images here")).to_be_visible()
    await lets_in(page, "drop", "quay.png")
    await expect(page.get_by_text("Drop images here")).to_be_hidden()
    await lets_in(page, "paste", "lamp.png")
    await expect(attached(page)).to_have_text([re.compile("boat"), re.compile("quay"), re.compile("lamp")])
    await expect(page.locator("#announcer")).to_have_text("3 images attached")
    await page.get_by_role("button", name="Remove quay.png").press("Enter")
    await expect(page.get_by_role("button", name="Remove lamp.png")).to_be_focused()
    assert await examine(page, "composer-images-desk-light") == []

    await box.press("Enter")
    await page.wait_for_url(re.compile("/chats/"))
    await expect(page.locator(".message--person img")).to_have_count(2)
    await expect(page.locator(".message--reply")).to_contain_text(f"[image/png, {len(PICTURE)} bytes]")
    await expect(attached(page)).to_have_count(0)

    # And in the conversation: what was sent is gone from the box, what was refused is not.
    await lets_in(page, "drop", "buoy.png")
    await page.context.set_offline(True)
    await box.fill("One more")
    await box.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    await expect(attached(page)).to_have_count(1)
    await page.context.set_offline(False)
    await box.press("Enter")
    await expect(page.locator(".message--person img")).to_have_count(3)
    await expect(attached(page)).to_have_count(0)
    await expect(box).to_have_value("")


async def test_a_model_without_eyes_is_named_at_the_box(
    cast: Cast,
    echo: str,
    blind: str,  # noqa: F811
    open_page: OpenPage,
) -> None:
    page = await open_page("/", cast.alice, **PHONE, color_scheme="dark", reduced_motion="reduce")
    await lets_in(page, "drop", "boat.png")
    note = page.get_by_role("status").get_by_text("Echo cannot see images")
    await expect(note).to_be_visible()
    for button in (
        page.get_by_role("button", name="Remove boat.png"),
        page.get_by_role("button", name="Attach"),
    ):
        box = await button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    assert await examine(page, "composer-images-phone-dark") == []

    await page.get_by_label("Message", exact=True).fill("What is this?")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("alert")).to_contain_text("cannot see images")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("What is this?")
    await expect(attached(page)).to_have_count(1)

    await page.get_by_role("button", name="Model:").click()
    await page.get_by_text("Echo, fast").click()
    await expect(note).to_have_count(0)


async def test_images_without_scripts(cast: Cast, echo: str, database: Database, open_page: OpenPage) -> None:
    await widen(database, echo)
    page = await open_page("/", cast.alice, java_script_enabled=False)
    await page.locator("summary, [popovertarget='model-picker']").first.click()
    await page.get_by_text("Echo, fast").click()
    await page.keyboard.press("Escape")
    await page.get_by_label("Message", exact=True).fill("What is this?")
    await page.get_by_label("Images", exact=True).set_input_files(file("cat.png", GIF))
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("“cat.png” has to be")).to_be_visible()
    await expect(page.get_by_label("Message", exact=True)).to_have_value("What is this?")

    await page.get_by_label("Images", exact=True).set_input_files(file("boat.png"))
    await page.get_by_role("button", name="Send").click()

    await expect(page.locator(".message--person img")).to_have_count(1)
