"""A real Chromium, in a container or on this machine, that looks at the running page."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from chromium_container import connect, find_page, run_container
from docker.models.containers import Container
from photo_page import WORK_MILLISECONDS
from playwright.sync_api import Browser, Page, Response, ViewportSize, expect, sync_playwright
from stack_containers import find_containers

import docker

WAIT_MILLISECONDS = 45_000
VIEWPORT: ViewportSize = {"width": 1280, "height": 800}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]

# Of an MP4; a JPEG has ended before it.
EMPTY_BOX = b"\0\0\0\x08free"
WORK_SECONDS = WORK_MILLISECONDS / 1000

expect.set_options(timeout=WAIT_MILLISECONDS)


@dataclass(frozen=True)
class Visitor:
    """A browser, and the address under which it sees the page."""

    browser: Browser
    page_url: str


@pytest.fixture(scope="session")
def web_url() -> str:
    """Return the page's address here (WEB_URL); fails when nothing serves it, for then no test here means anything."""
    url = os.environ.get("WEB_URL", "http://127.0.0.1:5173").rstrip("/")
    try:
        requests.get(url, timeout=10).raise_for_status()
    except requests.RequestException as error:
        pytest.fail(f"no page at {url} (set WEB_URL, or start the stack with `invoke up`): {error}", pytrace=False)
    return url


@pytest.fixture(scope="session")
def visitor(web_url: str) -> Iterator[Visitor]:
    """Yield a headless Chromium: the program named by CHROMIUM, else a container of BROWSER_IMAGE."""
    program = os.environ.get("CHROMIUM")
    with sync_playwright() as playwright:
        if program:
            yield Visitor(playwright.chromium.launch(executable_path=program, args=FLAGS), web_url)
        else:
            client = docker.from_env()
            network, page_url = find_page(client, web_url)
            image = os.environ.get("BROWSER_IMAGE", "snowboarding-browser:latest")
            with run_container(client, image, network) as container:
                yield Visitor(connect(playwright, container), page_url)


@pytest.fixture
def page(visitor: Visitor, web_url: str) -> Iterator[Page]:
    """Yield an empty tab of its own; every analysis that it made is deleted again, whatever happened to the test."""
    context = visitor.browser.new_context(
        base_url=visitor.page_url, viewport=VIEWPORT, locale="en-GB", color_scheme="light"
    )
    context.set_default_timeout(WAIT_MILLISECONDS)
    made: list[str] = []
    tab = context.new_page()
    tab.on("response", lambda response: note_analysis(response, made))
    yield tab
    context.close()
    for path in made:
        requests.delete(web_url + path, timeout=10)


def note_analysis(response: Response, made: list[str]) -> None:
    """Append the path of an analysis to `made` when this is the answer that created it."""
    if response.status == 201 and response.request.method == "POST":
        made.append(response.headers["location"])


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """Return the list to which the page's console errors and uncaught exceptions are added as they come."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def containers(web_url: str) -> dict[str, Container]:
    """Return the containers of the page's stack by service; skips where somebody may be using it."""
    return find_containers(docker.from_env(), web_url)


@pytest.fixture(scope="session")
def stored(web_url: str) -> Iterator[Callable[[Path], str]]:
    """Return the id of a file's analysis, which is made once: for tests that only look at it."""
    made: dict[Path, str] = {}

    def analyse_once(file: Path) -> str:
        if file not in made:
            # Bytes of its own, which no decoder reads: the file itself is still new to who uploads it.
            media = (file.name, file.read_bytes() + EMPTY_BOX)
            answer = requests.post(f"{web_url}/api/analyses", files={"media": media}, timeout=30)
            made[file] = answer.json()["id"]
            wait_until_done(f"{web_url}/api/analyses/{made[file]}")
        return made[file]

    yield analyse_once
    for analysis_id in made.values():
        requests.delete(f"{web_url}/api/analyses/{analysis_id}", timeout=10)


def wait_until_done(url: str) -> None:
    """Wait for the outcome of an analysis; fails when it is another, or none."""
    ends = time.monotonic() + WORK_SECONDS
    while (analysis := requests.get(url, timeout=30).json())["status"] != "done":
        assert analysis["status"] != "failed", analysis
        assert time.monotonic() < ends, analysis
        time.sleep(0.2)


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """Return the photo that every part of the project is tested with; see tests/data/README.md."""
    return Path(__file__).parents[1] / "data" / "astronaut.jpg"


@pytest.fixture(scope="session")
def heic() -> Path:
    """Return the same photo as telephones write it, turned by 90 degrees, with the orientation that turns it back."""
    return Path(__file__).parents[2] / "backend" / "pose-service" / "tests" / "data" / "turned.heic"


@pytest.fixture(scope="session")
def photographer() -> Path:
    """Return a photo with more of a body in it; see data/README.md."""
    return Path(__file__).parent / "data" / "photographer.jpg"


@pytest.fixture(scope="session")
def sample() -> Path:
    """Return the made photo that the page offers as a sample; see data/README.md."""
    return Path(__file__).parents[2] / "backend" / "web" / "public" / "sample.jpg"


@pytest.fixture(scope="session")
def rider() -> Path:
    """Return a clip of six seconds of the same figure, bending its knees; see data/README.md."""
    return Path(__file__).parent / "data" / "rider.mp4"


@pytest.fixture(scope="session")
def riders() -> Path:
    """Return a clip of five seconds with two people in it; see data/README.md."""
    return Path(__file__).parent / "data" / "riders.mp4"
