"""How pages look: photographed, measured, and examined by axe, in both themes, on a desk and on a phone."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
STANDARDS = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""What a theme can break: it changes nothing but colours."""
DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture(params=["desk", "phone"])
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def look(device: str) -> dict[str, Any]:
    """How a browser looks at the pages of this test."""
    return {**(DESK if device == "desk" else PHONE), "color_scheme": "light", "reduced_motion": "reduce"}


async def examine(page: Page, name: str) -> list[str]:
    """Take its picture, measure its width, then ask axe: what it finds, with the elements it is about."""
    await _photograph(page, name)
    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    await page.evaluate(Axe().axe_script)
    return [f"{name}: has to be scrolled sideways"] * wide + await _findings(page, name, STANDARDS)


async def examine_in_both_themes(page: Page, name: str) -> list[str]:
    """The page as it stands, light and then dark; it is light again afterwards."""
    findings = await examine(page, f"{name}-light")
    await page.emulate_media(color_scheme="dark")
    await _photograph(page, f"{name}-dark")
    findings += await _findings(page, f"{name}-dark", OF_COLOURS)
    await page.emulate_media(color_scheme="light")
    return findings


async def _photograph(page: Page, name: str) -> None:
    await page.evaluate("document.fonts.ready.then(() => true)")
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=ARTIFACTS / f"{name}.png")


async def _findings(page: Page, name: str, rules: dict[str, Any]) -> list[str]:
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = await page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return [
        f"{name}: {finding['id']}: {node['html'][:160]}" for finding in found for node in finding["nodes"]
    ]
