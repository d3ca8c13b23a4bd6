"""What the page says about the stack behind it."""

from __future__ import annotations

import re

from photo_page import FILE_LABEL
from playwright.sync_api import Page, Route, expect

# Not the page's own modules, which the development server serves from /src/api.
API = re.compile(r"^https?://[^/]+/api/")


def test_status_bar_shows_every_part_up_and_names_the_engine(page: Page) -> None:
    page.goto("/")
    bar = page.get_by_role("contentinfo")
    expect(bar.locator(".is-up")).to_have_count(3)
    expect(bar).to_contain_text(re.compile(r"Pose \w+ on (cpu|cuda)"))


def test_unknown_analysis_is_explained(page: Page) -> None:
    page.goto("/#/analyses/000000000000000000000000")
    expect(page.get_by_role("alert")).to_contain_text("Not found")
    expect(page.get_by_label(FILE_LABEL)).to_be_visible()


def test_list_comes_back_after_the_api_was_away(page: Page) -> None:
    page.route(API, cut_off)
    page.goto("/")
    history = page.get_by_role("region", name="Earlier analyses")
    expect(history.get_by_role("alert")).to_contain_text("No answer")
    page.unroute(API, cut_off)
    history.get_by_role("button", name="Try again").click()
    expect(history.get_by_role("alert")).to_have_count(0)


def cut_off(route: Route) -> None:
    """End a request as if nobody listened."""
    route.abort("connectionrefused")
