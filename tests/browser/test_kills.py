"""Any container is killed at any moment between the drop of a clip and its charts: in the end they are there.

`PAGE_KILLS=all` tries every container at every moment; the default takes each container and each moment once.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from docker.models.containers import Container
from photo_page import open_charts, read_id, slow_uploads, start_upload
from playwright.sync_api import Error, Page, expect
from stack_containers import wait_until_healthy

SERVICES = ("mongodb", "pose-service", "backend-api", "frontend")
FRAMES = 75
BACK_SECONDS = 240.0


def in_the_upload(page: Page) -> None:
    """Wait until a part of the clip is on its way."""
    expect(page.get_by_role("progressbar", name="Upload progress")).to_be_visible()
    time.sleep(2)


def once_accepted(page: Page) -> None:
    """Wait until the API has acknowledged the clip."""
    page.wait_for_url(re.compile("/analyses/"))


def at_the_first_frame(page: Page) -> None:
    """Wait for the first sign of the work."""
    expect(page.get_by_role("region", name="Progress")).to_contain_text(f"of {FRAMES} frames", timeout=60_000)


def half_way(page: Page) -> None:
    """Wait until about half of the frames are done."""
    expect(page.get_by_role("region", name="Progress")).to_contain_text(
        re.compile(rf"[3-6]\d of {FRAMES} frames"), timeout=60_000
    )


def when_done(page: Page) -> None:
    """Wait for the charts."""
    expect(open_charts(page)).to_be_visible(timeout=120_000)


MOMENTS = (in_the_upload, once_accepted, at_the_first_frame, half_way, when_done)
ALL = [(service, moment) for service in SERVICES for moment in MOMENTS]
SOME = [(SERVICES[index % len(SERVICES)], moment) for index, moment in enumerate(MOMENTS)]
CASES = ALL if os.environ.get("PAGE_KILLS") == "all" else SOME


@pytest.mark.parametrize(("victim", "moment"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_clip_comes_to_its_charts(
    page: Page,
    riders: Path,
    web_url: str,
    containers: dict[str, Container],
    victim: str,
    moment: Callable[[Page], None],
) -> None:
    acknowledged: list[str] = []
    page.on("response", lambda response: note(response, acknowledged))
    page.goto("/")
    slow = slow_uploads(page, 20_000) if moment is in_the_upload else None
    start_upload(page, riders, "video/mp4")
    moment(page)
    containers[victim].kill("SIGKILL")
    containers[victim].start()
    if slow:
        slow.detach()
    bring_to_charts(page, riders)
    wait_until_healthy(containers[victim])
    assert read_id(page) in [path.rpartition("/")[2] for path in acknowledged]
    for path in acknowledged:
        kept = requests.get(web_url + path, timeout=15).json()
        assert (kept["status"], kept["progress"]["framesDone"]) == ("done", FRAMES)
        frames = requests.get(web_url + kept["links"]["frames"], params={"limit": 1000}, timeout=15).json()["items"]
        assert [frame["index"] for frame in frames] == list(range(FRAMES))


def note(response: Any, acknowledged: list[str]) -> None:
    """Append the path of an analysis when this is the answer that acknowledged it."""
    if response.status == 201 and response.request.method == "POST":
        acknowledged.append(response.headers["location"])


def bring_to_charts(page: Page, clip: Path) -> None:
    """Do what a visitor does: wait, press "Try again" where the page offers it, choose the file again when asked to."""
    ends = time.monotonic() + BACK_SECONDS
    while time.monotonic() < ends:
        if open_charts(page).is_visible():
            return
        again = page.get_by_role("button", name="Try again").first
        if again.is_visible():
            with contextlib.suppress(Error):  # the page is loaded again as soon as Vite is back
                again.click(timeout=2000)
        elif page.get_by_role("alert").filter(has_text="had arrived").is_visible():
            start_upload(page, clip, "video/mp4")
        page.wait_for_timeout(500)
    pytest.fail(f"no charts; the page says: {page.locator('main').inner_text()}")
