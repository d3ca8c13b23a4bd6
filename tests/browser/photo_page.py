"""What a visitor does on the page, in words of the page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect


def choose_file(page: Page, name: str, mime_type: str, content: bytes) -> None:
    """Choose a file by its content: the browser may run in a container that does not see this machine's files."""
    page.get_by_label("Choose a photo").set_input_files({"name": name, "mimeType": mime_type, "buffer": content})


def upload_photo(page: Page, photo: Path) -> str:
    """Upload a JPEG from the start page and wait for its skeleton; return the id of its analysis."""
    if not page.get_by_label("Choose a photo").is_visible():
        page.goto("/")
    choose_file(page, photo.name, "image/jpeg", photo.read_bytes())
    expect(page.locator("[data-joint=nose]")).to_be_visible()
    return page.url.rsplit("/", 1)[-1]


def find_history_item(page: Page, analysis_id: str) -> Locator:
    """Return the entry of an analysis in the list of earlier ones."""
    return page.locator(f"[data-analysis='{analysis_id}']")
