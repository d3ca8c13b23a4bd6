"""The picture in the README, taken on demand: `SCREENSHOT=docs/screenshot.png`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from photo_page import find_history_item, upload_photo
from playwright.sync_api import Page, expect


@pytest.mark.skipif("SCREENSHOT" not in os.environ, reason="writes a picture: set SCREENSHOT to its path")
def test_screenshot_of_two_analyses(page: Page, astronaut: Path, photographer: Path) -> None:
    target = Path(os.environ["SCREENSHOT"])
    earlier_id = upload_photo(page, astronaut)
    page.get_by_role("button", name="New photo").click()
    upload_photo(page, photographer)
    expect(find_history_item(page, earlier_id)).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=target)
    assert target.stat().st_size > 50_000
