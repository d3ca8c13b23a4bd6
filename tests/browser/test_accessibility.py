"""axe finds nothing on any view, in any size and colour scheme; nothing jumps, nothing is wider than the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from photo_page import FILE_LABEL, open_clip, open_photo
from playwright.sync_api import Page, ViewportSize, expect

SIZES: list[ViewportSize] = [{"width": 360, "height": 740}, {"width": 3840, "height": 2160}]
# https://web.dev/cls: up to 0.1 is good.
MOST_LAYOUT_SHIFT = 0.1

WATCH_SHIFTS = """
window.shift = 0
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value
}).observe({ type: 'layout-shift', buffered: true })
"""

# A colour on its way to another is neither.
END_OF_TRANSITIONS = """
Promise.all(
  document.getAnimations().filter((one) => one instanceof CSSTransition).map(({ finished }) => finished)
)
"""


def show_start(page: Page, _: str, __: str) -> None:
    """Open the start page."""
    page.goto("/")
    expect(page.get_by_role("contentinfo")).to_contain_text("Pose")


def show_photo(page: Page, photo_id: str, _: str) -> None:
    """Open the analysis of a photo."""
    open_photo(page, photo_id)


def show_clip(page: Page, _: str, clip_id: str) -> None:
    """Open the analysis of a clip."""
    open_clip(page, clip_id)


def show_comparison(page: Page, photo_id: str, clip_id: str) -> None:
    """Open a photo and a clip side by side."""
    page.goto(f"/#/analyses/{clip_id}?with={photo_id}")
    expect(page.get_by_role("row", name="Front knee")).to_be_visible()


View = Callable[[Page, str, str], None]
VIEWS: list[View] = [show_start, show_photo, show_clip, show_comparison]


@pytest.fixture
def ids(stored: Callable[[Path], str], photographer: Path, riders: Path) -> tuple[str, str]:
    """Return the analyses of a photo and of a clip."""
    return stored(photographer), stored(riders)


@pytest.mark.parametrize("view", VIEWS)
def test_view_is_accessible_and_fits(page: Page, ids: tuple[str, str], view: View) -> None:
    view(page, *ids)
    schemes: list[Literal["light", "dark"]] = ["light", "dark"]
    for size in SIZES:
        page.set_viewport_size(size)
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            page.evaluate(END_OF_TRANSITIONS)
            assert find_violations(page) == [], (size, scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), size


@pytest.mark.parametrize("view", [show_photo, show_clip])
def test_opened_analysis_does_not_jump(page: Page, ids: tuple[str, str], view: View) -> None:
    view(page, *ids)
    page.add_init_script(WATCH_SHIFTS)
    page.reload()
    expect(page.locator("[data-joint=nose]").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shift") < MOST_LAYOUT_SHIFT


def test_photo_is_uploaded_and_deleted_with_the_keyboard_alone(page: Page, astronaut: Path) -> None:
    page.goto("/")
    expect(page.get_by_role("contentinfo")).to_contain_text("Pose")
    page.get_by_label(FILE_LABEL).focus()
    with page.expect_file_chooser() as chooser:
        # Chromium learns that choosers are wanted behind Playwright's back; its answer here comes after that.
        assert page.evaluate("document.activeElement.type") == "file"
        page.keyboard.press("Enter")
    chooser.value.set_files({"name": "run.jpg", "mimeType": "image/jpeg", "buffer": astronaut.read_bytes()})
    expect(page.locator("[data-joint=nose]").first).to_be_visible(timeout=60_000)
    press_with_keyboard(page, "Delete")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    press_with_keyboard(page, "Undo")
    expect(page.locator("[data-joint=nose]").first).to_be_visible()


def press_with_keyboard(page: Page, name: str) -> None:
    """Walk with Tab to a button, and press it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
    pytest.fail(f"no button {name} is reached with Tab")


def find_violations(page: Page) -> list[Any]:
    """Return what axe complains of, each as its rule and the elements."""
    if page.evaluate("typeof window.axe") == "undefined":
        # Served by the page's own development server.
        page.add_script_tag(url="/node_modules/axe-core/axe.min.js")
    found: list[Any] = page.evaluate(
        "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))"
    )
    return found
