"""Pictures of the main views, to be looked at: `SCREENSHOTS=docs/screenshots` names the folder they are written to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from photo_page import find_history_item, upload_clip, upload_photo
from playwright.sync_api import Page, expect


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


def test_pictures_of_the_views(page: Page, folder: Path, photographer: Path, riders: Path) -> None:
    page.goto("/")
    expect(page.get_by_role("contentinfo")).to_contain_text("Pose")
    take(page, folder / "start.png")
    photo_id = upload_photo(page, photographer)
    take(page, folder / "photo.png")
    page.get_by_role("button", name="New analysis").click()
    clip_id = upload_clip(page, riders)
    page.goto(f"/#/analyses/{clip_id}?person=2&at=2.4")
    expect(page.get_by_role("slider", name="Frame")).to_have_value("36")
    page.emulate_media(color_scheme="dark")
    take(page, folder / "clip.png", is_whole=True)
    page.emulate_media(color_scheme="light")
    item = find_history_item(page, photo_id)
    item.hover()
    item.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("row", name="Front knee")).to_be_visible()
    expect(page.locator("[data-joint=nose]")).to_have_count(3)
    take(page, folder / "comparison.png", is_whole=True)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"/#/analyses/{clip_id}")
    expect(page.locator("[data-joint=nose]").first).to_be_visible()
    take(page, folder / "phone.png", is_whole=True)
