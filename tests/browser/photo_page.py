"""What a visitor does on the page, in words of the page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import CDPSession, Locator, Page, expect

FILE_LABEL = "Choose a photo or clip"
WORK_MILLISECONDS = 120_000


def choose_file(page: Page, name: str, mime_type: str, content: bytes) -> None:
    """Choose a file by its content: the browser may run in a container that does not see this machine's files."""
    page.get_by_label(FILE_LABEL).set_input_files({"name": name, "mimeType": mime_type, "buffer": content})


def upload_photo(page: Page, photo: Path) -> str:
    """Upload a photo from the start page and wait for its skeleton; return the id of its analysis."""
    start_upload(page, photo, f"image/{photo.suffix[1:].replace('jpg', 'jpeg')}")
    expect(page.locator("[data-joint=nose]").first).to_be_visible(timeout=WORK_MILLISECONDS)
    return read_id(page)


def upload_clip(page: Page, clip: Path) -> str:
    """Upload an MP4 from the start page and wait for its charts; return the id of its analysis."""
    start_upload(page, clip, "video/mp4")
    expect(open_charts(page)).to_be_visible(timeout=WORK_MILLISECONDS)
    return read_id(page)


def open_photo(page: Page, analysis_id: str) -> None:
    """Open the analysis of a photo by its address, and wait for its skeleton."""
    page.goto(f"/#/analyses/{analysis_id}")
    expect(page.locator("[data-joint=nose]").first).to_be_visible()


def open_clip(page: Page, analysis_id: str) -> None:
    """Open the analysis of a clip by its address, and wait for its charts."""
    page.goto(f"/#/analyses/{analysis_id}")
    expect(open_charts(page)).to_be_visible()


def start_upload(page: Page, file: Path, mime_type: str) -> None:
    """Choose a file on the start page."""
    if not page.get_by_label(FILE_LABEL).is_visible():
        page.goto("/")
    choose_file(page, file.name, mime_type, file.read_bytes())


def open_charts(page: Page) -> Locator:
    """Return the first chart of the clip that is shown."""
    return page.locator(".chart canvas").first


def slow_uploads(page: Page, bytes_per_second: int) -> CDPSession:
    """Let uploads crawl until the returned session is detached."""
    session = page.context.new_cdp_session(page)
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    session.send("Network.emulateNetworkConditions", limits)
    return session


def read_id(page: Page) -> str:
    """Return the id of the analysis that the address names."""
    return page.url.split("/analyses/")[1].split("?")[0]


def find_history_item(page: Page, analysis_id: str) -> Locator:
    """Return the entry of an analysis in the list of earlier ones."""
    return page.locator(f"[data-analysis='{analysis_id}']")
