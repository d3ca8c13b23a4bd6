"""A photo goes in, a skeleton is drawn over it, and it stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from photo_page import FILE_LABEL, find_history_item, open_photo, upload_photo
from playwright.sync_api import Locator, Page, expect

# Where the astronaut's nose is, of the photo's width and height; see tests/data/README.md.
NOSE = (223 / 512, 128 / 512)
TOLERANCE = 0.03


def centre_within(outer: Locator, inner: Locator) -> tuple[float, float]:
    """Return the centre of `inner` as fractions of the box of `outer`, both as they are seen on the page."""
    frame, spot = outer.bounding_box(), inner.bounding_box()
    assert frame is not None
    assert spot is not None
    x = (spot["x"] + spot["width"] / 2 - frame["x"]) / frame["width"]
    y = (spot["y"] + spot["height"] / 2 - frame["y"]) / frame["height"]
    return x, y


@pytest.mark.parametrize("width", [1280, 390])
def test_nose_is_drawn_on_the_nose(page: Page, astronaut: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    upload_photo(page, astronaut)
    photo = page.get_by_role("img", name="astronaut.jpg", exact=True)
    assert photo.evaluate("image => image.naturalWidth") == 512
    drawn = centre_within(photo, page.locator("[data-person='1'] [data-joint=nose] .joint-dot"))
    assert drawn == pytest.approx(NOSE, abs=TOLERANCE)


def test_heic_of_a_telephone_is_shown_by_its_copy(page: Page, heic: Path, web_url: str) -> None:
    analysis_id = upload_photo(page, heic)
    photo = page.get_by_role("img", name=heic.name, exact=True)
    expect(photo).to_have_js_property("complete", True)
    assert photo.evaluate("image => image.naturalWidth") == 512
    drawn = centre_within(photo, page.locator("[data-person='1'] [data-joint=nose] .joint-dot"))
    assert drawn == pytest.approx(NOSE, abs=TOLERANCE)
    thumbnail = find_history_item(page, analysis_id).locator("img")
    expect(thumbnail).to_have_js_property("complete", True)
    assert thumbnail.evaluate("image => image.naturalWidth") == 320
    kept = requests.get(f"{web_url}/api/analyses/{analysis_id}/media", timeout=10)
    assert (kept.content, kept.headers["content-type"]) == (heic.read_bytes(), "image/heic")


def test_analysis_is_still_there_after_a_reload(page: Page, astronaut: Path) -> None:
    upload_photo(page, astronaut)
    page.reload()
    expect(page.get_by_role("article", name="astronaut.jpg")).to_be_visible()
    expect(page.locator("[data-joint=nose]").first).to_be_visible()


def test_analysis_is_listed_and_opens_from_the_list(page: Page, astronaut: Path) -> None:
    analysis_id = upload_photo(page, astronaut)
    page.get_by_role("button", name="New analysis").click()
    expect(page.get_by_role("article")).to_have_count(0)
    item = find_history_item(page, analysis_id)
    expect(item).to_contain_text("1 person")
    thumbnail = item.locator("img")
    expect(thumbnail).to_have_js_property("complete", True)
    assert thumbnail.evaluate("image => image.naturalWidth") == 320
    item.get_by_role("link").click()
    expect(page.locator("[data-joint=nose]").first).to_be_visible()


def test_joints_of_a_measure_light_up_when_it_is_pointed_at(
    page: Page, stored: Callable[[Path], str], sample: Path
) -> None:
    open_photo(page, stored(sample))
    page.locator("[data-measure=knee_flexion_right]").hover()
    lit = page.locator(".joint.is-pointed")
    expect(lit).to_have_count(3)
    assert {one.get_attribute("data-joint") for one in lit.all()} == {"right_hip", "right_knee", "right_ankle"}
    expect(lit.first.locator(".joint-ring")).to_have_css("opacity", "1")
    page.get_by_role("heading", level=1).hover()
    expect(lit).to_have_count(0)


def test_sample_is_read_whole(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Try it with a sample").click()
    expect(page.locator("[data-joint=nose]")).to_have_count(1, timeout=60_000)
    expect(page.locator(".reading")).to_have_count(6)
    expect(page.locator(".reading.is-missing")).to_have_count(0)


def test_joint_names_itself_when_pointed_at(page: Page, stored: Callable[[Path], str], astronaut: Path) -> None:
    open_photo(page, stored(astronaut))
    page.locator("[data-joint=right_shoulder]").hover()
    expect(page.get_by_role("tooltip")).to_have_text(re.compile(r"^Right shoulder\d+ % sure$"))


def test_deleted_analysis_is_gone(page: Page, astronaut: Path, web_url: str) -> None:
    analysis_id = upload_photo(page, astronaut)
    item = find_history_item(page, analysis_id)
    item.hover()
    item.get_by_role("button", name="Delete astronaut.jpg").click()
    expect(item).to_have_count(0)
    expect(page.get_by_label(FILE_LABEL)).to_be_visible()
    assert requests.get(f"{web_url}/api/analyses/{analysis_id}", timeout=10).status_code == 404


def test_whole_visit_leaves_no_complaint_in_the_console(page: Page, complaints: list[str], astronaut: Path) -> None:
    analysis_id = upload_photo(page, astronaut)
    page.reload()
    expect(page.locator("[data-joint=nose]").first).to_be_visible()
    item = find_history_item(page, analysis_id)
    item.hover()
    item.get_by_role("button", name="Delete").click()
    expect(item).to_have_count(0)
    assert complaints == []
