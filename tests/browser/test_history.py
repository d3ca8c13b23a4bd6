"""Rename, undo a deletion, compare, share a view, take the results along."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import requests
from photo_page import find_history_item, open_photo, upload_photo
from playwright.sync_api import Page, expect


def test_new_name_is_kept(page: Page, astronaut: Path) -> None:
    analysis_id = upload_photo(page, astronaut)
    page.get_by_role("button", name="Rename", exact=True).click()
    page.get_by_role("textbox", name="Name").fill("First run")
    page.keyboard.press("Enter")
    expect(find_history_item(page, analysis_id)).to_contain_text("First run")
    page.reload()
    expect(page.get_by_role("heading", name="First run", level=1)).to_be_visible()


def test_deletion_is_undone(page: Page, astronaut: Path, web_url: str) -> None:
    analysis_id = upload_photo(page, astronaut)
    address = f"{web_url}/api/analyses/{analysis_id}"
    page.get_by_role("button", name="Delete", exact=True).click()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    assert requests.get(address, timeout=10).status_code == 404
    undo.click()
    expect(page.locator("[data-joint=nose]").first).to_be_visible()
    assert requests.get(address, timeout=10).status_code == 200


def test_two_are_compared_and_the_link_shows_the_same(page: Page, astronaut: Path, photographer: Path) -> None:
    earlier_id = upload_photo(page, astronaut)
    page.get_by_role("button", name="New analysis").click()
    upload_photo(page, photographer)
    item = find_history_item(page, earlier_id)
    item.hover()
    item.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("row", name="Front knee")).to_be_visible()
    visitor = page.context.new_page()
    visitor.goto(page.url)
    expect(visitor.get_by_role("article", name="astronaut.jpg")).to_be_visible()
    expect(visitor.get_by_role("article", name="photographer.jpg")).to_be_visible()


def test_link_opens_the_chosen_person(page: Page, stored: Callable[[Path], str], riders: Path) -> None:
    analysis_id = stored(riders)
    page.goto(f"/#/analyses/{analysis_id}?person=2")
    chosen = page.get_by_role("button", name="Person 2")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Person 1").click()
    page.wait_for_url("**person=1")
    page.reload()
    expect(page.get_by_role("button", name="Person 1")).to_have_attribute("aria-pressed", "true")


def test_drawn_picture_is_made_in_the_photos_own_size(
    page: Page, stored: Callable[[Path], str], astronaut: Path
) -> None:
    open_photo(page, stored(astronaut))
    # The browser may run in a container whose files are not seen here: look at the picture before it is saved.
    page.evaluate("URL.createObjectURL = (blob) => { window.saved = blob; return 'data:,' }")
    page.get_by_role("button", name="Save picture").click()
    page.wait_for_function("window.saved")
    size = page.evaluate("createImageBitmap(window.saved).then(({ width, height }) => [width, height])")
    assert size == [512, 512]


def test_data_of_the_download_are_those_of_the_page(
    page: Page, stored: Callable[[Path], str], photographer: Path, web_url: str
) -> None:
    open_photo(page, stored(photographer))
    path = page.get_by_role("link", name="CSV").get_attribute("href")
    rows = list(csv.DictReader(requests.get(f"{web_url}{path}", timeout=10).text.splitlines()))
    shown = page.locator("[data-measure=knee_flexion_right] .measure-value").inner_text()
    (column,) = [name for name in rows[0] if name.startswith("knee_flexion_right")]
    assert f"{rows[0][column]}°" == shown.strip()
