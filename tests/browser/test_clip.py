"""A clip of five seconds goes in; picture, slider, figures and charts move together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from photo_page import open_charts, open_clip, start_upload
from playwright.sync_api import Page, expect


@pytest.fixture
def frames(page: Page, stored: Callable[[Path], str], riders: Path, web_url: str) -> list[dict[str, Any]]:
    """Open the clip; return its frames as the API has them."""
    analysis_id = stored(riders)
    open_clip(page, analysis_id)
    answer = requests.get(f"{web_url}/api/analyses/{analysis_id}/frames", params={"limit": 1000}, timeout=30).json()
    return list(answer["items"])


def test_progress_is_shown_while_the_clip_is_worked_on(page: Page, riders: Path) -> None:
    start_upload(page, riders, "video/mp4")
    panel = page.get_by_role("region", name="Progress")
    expect(panel).to_contain_text("of 75 frames", timeout=60_000)
    expect(open_charts(page)).to_be_visible(timeout=120_000)


def test_slider_walks_frame_by_frame_and_all_follow(page: Page, frames: list[dict[str, Any]]) -> None:
    assert len(frames) == 75
    slider = page.get_by_role("slider", name="Frame")
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", f"frame 4 of 75, {frames[3]['time_seconds']:.2f} seconds")
    seconds = page.locator("figure video").evaluate("video => video.currentTime")
    assert frames[3]["time_seconds"] <= seconds < frames[4]["time_seconds"]
    person = next(one for one in frames[3]["people"] if one["id"] == 1)
    lean = person["smoothed"]["measures"]["trunk_lean"]
    expect(page.locator("[data-curve=trunk_lean] .curve-value")).to_have_text(f"{lean}°")
    nose = next(point for point in person["keypoints"] if point["name"] == "nose")
    dot = page.locator("[data-person='1'] [data-joint=nose] .joint-dot")
    assert [float(dot.get_attribute(axis) or "nan") for axis in ("cx", "cy")] == [nose["x"], nose["y"]]


def test_press_on_a_chart_moves_the_picture(page: Page, frames: list[dict[str, Any]]) -> None:
    page.locator(".chart .u-over").first.click()
    index = int(page.get_by_role("slider", name="Frame").input_value())
    assert abs(index - len(frames) / 2) < 3
    seconds = page.locator("figure video").evaluate("video => video.currentTime")
    assert seconds == pytest.approx(frames[index]["time_seconds"], abs=0.07)


def test_playing_moves_the_slider(page: Page, frames: list[dict[str, Any]]) -> None:
    slider = page.get_by_role("slider", name="Frame")
    slider.focus()
    page.keyboard.press("Home")
    page.get_by_role("button", name="Play").click()
    expect(slider).not_to_have_value("0")
    page.get_by_role("button", name="Pause").click()
    index = int(slider.input_value())
    assert 0 < index < len(frames)


def test_second_person_has_figures_of_its_own(page: Page, frames: list[dict[str, Any]]) -> None:
    page.get_by_role("button", name="Person 2").click()
    expect(page.get_by_role("button", name="Person 2")).to_have_attribute("aria-pressed", "true")
    index = int(page.get_by_role("slider", name="Frame").input_value())
    person = next(one for one in frames[index]["people"] if one["id"] == 2)
    lean = person["smoothed"]["measures"]["trunk_lean"]
    expect(page.locator("[data-curve=trunk_lean] .curve-value")).to_have_text(f"{lean}°")


def test_clip_opens_on_a_frame_with_as_many_readings_as_any(page: Page, frames: list[dict[str, Any]]) -> None:
    shown = page.locator(".readings .reading:not(.is-missing)")
    names = {str(one.get_attribute("data-measure")) for one in page.locator(".reading").all()}
    most = 0
    for frame in frames:
        person = next((one for one in frame["people"] if one["id"] == 1), None)
        values = person["smoothed"]["measures"] if person else {}
        most = max(most, sum(values.get(name) is not None for name in names))
    expect(shown).to_have_count(most)


def test_people_have_pictures_and_their_time_in_the_clip(page: Page, frames: list[dict[str, Any]]) -> None:
    assert frames
    cards = page.get_by_role("group", name="Person").get_by_role("button")
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("0:00.0–0:04.9")
    portraits = cards.locator("img")
    expect(portraits).to_have_count(2)
    pixels = portraits.evaluate_all("images => images.map((image) => image.naturalWidth)")
    assert pixels == [112, 112]
    addresses = portraits.evaluate_all("images => images.map((image) => image.src)")
    assert len(set(addresses)) == 2
    expect(page.get_by_text("Rider seen in 75 of 75 frames")).to_be_visible()


def test_charts_begin_with_the_knees_or_what_there_is_and_mark_the_time(
    page: Page, frames: list[dict[str, Any]]
) -> None:
    pressed = page.locator(".curve[aria-pressed=true]")
    names = [str(one.get_attribute("data-curve")) for one in pressed.all()]
    assert names
    assert len(names) <= 2
    slider = page.get_by_role("slider", name="Frame")
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator(".chart-time").first).to_have_text(f"0:{frames[-1]['time_seconds']:05.2f}")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_picture_stays_in_view_beside_the_measures(
    page: Page, frames: list[dict[str, Any]], width: int, height: int
) -> None:
    assert frames
    page.set_viewport_size({"width": width, "height": height})
    page.locator(".person-all summary").click()
    page.locator(".measures tr").last.scroll_into_view_if_needed()
    assert page.evaluate("window.scrollY") > 100
    picture = page.locator("figure video").bounding_box()
    assert picture is not None
    assert picture["y"] >= -1
    assert picture["y"] + picture["height"] <= height
