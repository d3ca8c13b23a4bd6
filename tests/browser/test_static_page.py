"""The built page, as it is deployed: compressed, kept by browsers, closed to others, with the API behind it."""

from __future__ import annotations

import http.client
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from chromium_container import find_container
from conftest import Visitor
from docker.models.containers import Container
from photo_page import WORK_MILLISECONDS, choose_file, open_charts, read_id, upload_photo
from playwright.sync_api import Page, expect

import docker

PORT = "5173/tcp"
START_SECONDS = 60
# Promised are two; a busy machine adds to them. Without the promise the stream would hold it for the ten of Docker.
STOP_SECONDS = 6


@dataclass(frozen=True)
class StaticPage:
    """A running server of the built page: its address here, and as the browser sees it."""

    container: Container
    url: str
    page_url: str


@pytest.fixture(scope="module")
def static_page(web_url: str, visitor: Visitor) -> Iterator[StaticPage]:
    """Run STATIC_IMAGE beside the stack's own page, with as few rights as docker-compose.static.yml gives it."""
    client = docker.from_env()
    beside = find_container(client, web_url)
    networks = list(beside.attrs["NetworkSettings"]["Networks"])
    image = os.environ.get("STATIC_IMAGE", "snowboarding-frontend-static:latest")
    container = client.containers.create(
        image,
        name=f"static-page-{uuid.uuid4().hex[:8]}",
        network=networks[0],
        ports={PORT: ("127.0.0.1", None)},
        environment={"API_URL": "http://backend-api:3001"},
        init=True,
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
    )
    try:
        for name in networks[1:]:
            client.networks.get(name).connect(container)
        container.start()
        url = wait_for_page(container)
        inner = container.attrs["NetworkSettings"]["Networks"][networks[0]]["IPAddress"]
        yield StaticPage(container, url, url if visitor.page_url == web_url else f"http://{inner}:5173")
    finally:
        container.remove(force=True)


def wait_for_page(container: Container) -> str:
    """Return the page's address as soon as it answers; fails with the log when it does not."""
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        container.reload()
        bindings = container.ports.get(PORT)
        url = f"http://127.0.0.1:{bindings[0]['HostPort']}" if bindings else ""
        try:
            if url and requests.get(url, timeout=2).ok:
                return url
        except requests.RequestException:
            time.sleep(0.1)
    pytest.fail(f"the built page does not answer: {container.logs().decode()}", pytrace=False)


def test_photo_and_clip_are_read_without_a_complaint(
    page: Page, static_page: StaticPage, complaints: list[str], photographer: Path, riders: Path
) -> None:
    page.goto(static_page.page_url)
    upload_photo(page, photographer)
    page.get_by_role("button", name="New analysis").click()
    choose_file(page, riders.name, "video/mp4", riders.read_bytes())
    # Comes through the stream of events, which nothing on the way may hold back.
    expect(page.get_by_role("region", name="Progress")).to_contain_text("of 75 frames", timeout=WORK_MILLISECONDS)
    expect(open_charts(page)).to_be_visible(timeout=WORK_MILLISECONDS)
    assert read_id(page)
    expect(page.get_by_role("contentinfo").locator(".is-up")).to_have_count(3)
    assert complaints == []


def test_files_are_compressed_and_kept_for_as_long_as_their_names_last(static_page: StaticPage) -> None:
    asked = {"Accept-Encoding": "identity"}
    page = requests.get(static_page.url, headers=asked, timeout=10)
    assert page.headers["Cache-Control"] == "no-cache"
    seen = requests.get(static_page.url, headers={**asked, "If-None-Match": page.headers["ETag"]}, timeout=10)
    assert seen.status_code == 304
    script = page.text.split('crossorigin src="')[1].split('"')[0]
    sizes = {}
    for encoding in ("identity", "gzip", "br"):
        answer = requests.get(static_page.url + script, headers={"Accept-Encoding": encoding}, stream=True, timeout=10)
        assert answer.headers.get("Content-Encoding", "identity") == encoding
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        sizes[encoding] = int(answer.headers["Content-Length"])
    assert sizes["br"] < sizes["gzip"] < sizes["identity"] / 2


def test_page_is_closed_to_other_hosts_and_scripts(static_page: StaticPage) -> None:
    headers = requests.get(static_page.url, timeout=10).headers
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert "style-src 'self'" in headers["Content-Security-Policy"].split("; ")
    assert headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/", "/api/analyses"):
        answer = requests.get(static_page.url + path, headers={"Host": "rider.example.org"}, timeout=10)
        assert answer.status_code == 403
    deletion = requests.delete(
        f"{static_page.url}/api/analyses/000000000000000000000000",
        headers={"Origin": "http://rider.example.org", "Sec-Fetch-Site": "cross-site"},
        timeout=10,
    )
    assert deletion.status_code == 403


@pytest.mark.parametrize(
    "path", ["/../server/serve.js", "/%2e%2e/package.json", "/src/main.jsx", "/%E0%A4%A", "/dist/"]
)
def test_nothing_but_the_built_files_is_served(static_page: StaticPage, path: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(static_page.url).netloc, timeout=10)
    connection.request("GET", path)
    assert connection.getresponse().status == 404


def test_server_stops_at_once_although_a_stream_is_open(
    page: Page, static_page: StaticPage, photographer: Path
) -> None:
    page.goto(static_page.page_url)
    analysis_id = upload_photo(page, photographer)
    with requests.get(f"{static_page.url}/api/analyses/{analysis_id}/events", stream=True, timeout=10):
        begins = time.monotonic()
        static_page.container.stop(timeout=10)
        assert time.monotonic() - begins < STOP_SECONDS
    assert static_page.container.wait()["StatusCode"] == 0
