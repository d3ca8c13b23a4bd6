"""Broken connections, reloads, two tabs, back and forward."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import requests
from photo_page import FILE_LABEL, find_history_item, open_charts, open_photo, slow_uploads, start_upload, upload_photo
from playwright.sync_api import Page, Route, expect

# A clip of 200 kB then takes ten seconds.
SLOW_BYTES_PER_SECOND = 20_000
API = re.compile(r"^https?://[^/]+/api/")
UPLOAD = "**/api/analyses?stance=auto"


def count_analyses(web_url: str) -> int:
    """Return how many analyses the API has."""
    return int(requests.get(f"{web_url}/api/analyses", params={"limit": 1}, timeout=10).json()["total"])


def test_connection_that_drops_in_the_upload_is_told_and_tried_again(page: Page, riders: Path) -> None:
    page.goto("/")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(UPLOAD, hold, times=1)
    start_upload(page, riders, "video/mp4")
    expect(page.get_by_role("progressbar", name="Upload progress")).to_be_visible()
    held[0].abort("connectionreset")
    alert = page.get_by_role("region", name="New analysis").get_by_role("alert")
    expect(alert).to_contain_text("No answer")
    expect(alert).to_contain_text("riders.mp4")
    alert.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("article", name="riders.mp4")).to_be_visible()


def test_reload_in_the_upload_is_told_and_leaves_nothing_half_done(page: Page, riders: Path, web_url: str) -> None:
    page.goto("/")
    before = count_analyses(web_url)
    slow_uploads(page, SLOW_BYTES_PER_SECOND)
    start_upload(page, riders, "video/mp4")
    expect(page.get_by_role("progressbar", name="Upload progress")).to_be_visible()
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("before riders.mp4 had arrived")
    expect(page.get_by_label(FILE_LABEL)).to_be_attached()
    assert count_analyses(web_url) == before


def test_reload_in_the_work_goes_on_where_it_was(page: Page, riders: Path) -> None:
    start_upload(page, riders, "video/mp4")
    expect(page.get_by_role("region", name="Progress")).to_be_visible()
    page.reload()
    expect(open_charts(page)).to_be_visible(timeout=120_000)


def test_analysis_stays_readable_while_the_api_is_away(
    page: Page, stored: Callable[[Path], str], astronaut: Path
) -> None:
    open_photo(page, stored(astronaut))
    page.route(API, lambda route: route.abort("connectionrefused"))
    # The page asks for the state every 15 s.
    expect(page.get_by_text("API cannot be reached.")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-joint=nose]").first).to_be_visible()
    page.unroute(API)
    expect(page.get_by_text("API cannot be reached.")).to_have_count(0, timeout=30_000)


def test_second_tab_sees_what_the_first_one_does(page: Page, astronaut: Path) -> None:
    other = page.context.new_page()
    other.goto("/")
    expect(other.get_by_role("contentinfo")).to_contain_text("API")
    analysis_id = upload_photo(page, astronaut)
    expect(find_history_item(other, analysis_id)).to_be_visible()
    item = find_history_item(page, analysis_id)
    item.hover()
    item.get_by_role("button", name="Delete").click()
    expect(find_history_item(other, analysis_id)).to_have_count(0)


def test_back_and_forward_walk_through_the_views(page: Page, astronaut: Path, photographer: Path) -> None:
    upload_photo(page, astronaut)
    page.get_by_role("button", name="New analysis").click()
    upload_photo(page, photographer)
    page.go_back()
    expect(page.get_by_label(FILE_LABEL)).to_be_attached()
    page.go_back()
    expect(page.get_by_role("article", name="astronaut.jpg")).to_be_visible()
    page.go_forward()
    page.go_forward()
    expect(page.get_by_role("article", name="photographer.jpg")).to_be_visible()
