"""Pictures of the main views, to be looked at: `SCREENSHOTS=docs/screenshots` names the folder they are written to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from photo_page import find_history_item, upload_clip, upload_photo
from playwright.sync_api import Page, ViewportSize, expect

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where the pictures go: SCREENSHOTS, or nowhere that stays."""
    chosen = Path(os.environ.get("SCREENSHOTS", tmp_path))
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen


def take(page: Page, target: Path, *, is_whole: bool = False) -> None:
    """Write what the window shows, or the whole page; an empty page would be a small file."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=target, full_page=is_whole)
    assert target.stat().st_size > 20_000


def test_pictures_of_the_views(page: Page, folder: Path, sample: Path, rider: Path, photographer: Path) -> None:
    page.set_viewport_size(DESKTOP)
    page.goto("/")
    expect(page.get_by_role("contentinfo")).to_contain_text("Pose")
    take(page, folder / "start.png")
    other_id = upload_photo(page, photographer)
    page.get_by_role("button", name="New analysis").click()
    photo_id = upload_photo(page, sample)
    take(page, folder / "photo.png")
    page.get_by_role("button", name="New analysis").click()
    clip_id = upload_clip(page, rider)
    page.emulate_media(color_scheme="dark")
    take(page, folder / "clip.png")
    page.emulate_media(color_scheme="light")
    item = find_history_item(page, photo_id)
    item.hover()
    item.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("row", name="Front knee")).to_be_visible()
    expect(page.locator("[data-joint=nose]")).to_have_count(2)
    take(page, folder / "comparison.png", is_whole=True)
    page.set_viewport_size(PHONE)
    for name, analysis_id in (("phone-photo", photo_id), ("phone-clip", clip_id), ("phone-other", other_id)):
        page.goto(f"/#/analyses/{analysis_id}")
        expect(page.locator("[data-joint=nose]").first).to_be_visible()
        take(page, folder / f"{name}.png")
