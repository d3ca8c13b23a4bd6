"""The development server is asked by others too: an open page shows the errors of its own modules, nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from photo_page import FILE_LABEL
from playwright.sync_api import Page, expect

SOURCE = Path(__file__).parents[2] / "backend" / "web" / "src"
# Long enough for an error or a reload that was going to come.
CALM_MILLISECONDS = 1_500

# Modules that cannot be transformed, and addresses that cannot be read, as anybody may ask for them.
BROKEN = [
    "/package-lock.json?import&raw=",
    "/index.html?import",
    "/index.html?html-proxy&index=7.js",
    "/src/App.css?html-proxy&index=1.css",
    "/src/App.jsx?html-proxy&index=1.js",
    "/src/App.jsx?worker_file&type=classic",
    "/node_modules/vite/LICENSE.md?import",
    "/node_modules/eslint/README.md?import&t=1",
    "/node_modules/axe-core/package.json?import&url",
    "/node_modules/typescript/bin/tsc?import",
    "/vite.config.js",
    "/@id/nothing-of-that-name",
    "/@fs/etc/passwd?import",
    "/%E0%A4%A",
    "/%00?import",
]


def ask(web_url: str, path: str) -> requests.Response:
    """GET a path exactly as it is written, as a script asks for it."""
    request = requests.Request("GET", web_url, headers={"Sec-Fetch-Dest": "script"}).prepare()
    request.url = web_url + path
    with requests.Session() as session:
        return session.send(request, timeout=20)


def test_broken_modules_that_others_ask_for_reach_no_open_page(page: Page, web_url: str, complaints: list[str]) -> None:
    page.goto("/")
    expect(page.get_by_label(FILE_LABEL)).to_be_attached()
    page.evaluate("window.isSameVisit = true")
    statuses = [ask(web_url, path).status_code for path in BROKEN]
    assert 500 in statuses, statuses
    page.wait_for_timeout(CALM_MILLISECONDS)
    expect(page.locator("vite-error-overlay")).to_have_count(0)
    assert page.evaluate("window.isSameVisit")
    assert complaints == []


def test_error_in_a_saved_file_is_shown_to_its_developer(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_label(FILE_LABEL)).to_be_attached()
    file = SOURCE / "components" / "Loading.jsx"
    before = file.read_bytes()
    for text in ("export const broken = (\n", "import './no-such-file.js'\n"):
        try:
            file.write_bytes(before + text.encode())
            overlay = page.locator("vite-error-overlay")
            expect(overlay).to_have_count(1)
            expect(overlay.locator(".file").first).to_contain_text("Loading.jsx")
        finally:
            file.write_bytes(before)
        expect(page.locator("vite-error-overlay")).to_have_count(0)


@pytest.mark.parametrize(
    "path",
    [
        "/node_modules/vite/bin/vite.js",
        "/node_modules/.bin/vite",
        "/node_modules/%62in/x.js",
        "/node_modules/@eslint/a/bin/b.js",
        "/__open-in-editor?file=src/App.jsx",
    ],
)
def test_what_no_page_needs_is_not_found(web_url: str, path: str) -> None:
    assert ask(web_url, path).status_code == 404


def test_server_of_the_page_allows_no_other_origin_and_no_other_host(web_url: str) -> None:
    script = f"{web_url}/src/main.jsx"
    other = requests.get(script, headers={"Origin": "http://localhost:9999"}, timeout=10)
    assert [name for name in other.headers if name.lower().startswith("access-control-")] == []
    assert requests.get(script, headers={"Host": "rider.example.org"}, timeout=10).status_code == 403
    assert requests.get(script, headers={"Host": "localhost"}, timeout=10).status_code == 200


def test_page_forbids_foreign_scripts_and_frames(web_url: str) -> None:
    headers = requests.get(web_url, timeout=10).headers
    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    (scripts,) = [one for one in policy if one.startswith("script-src")]
    assert "unsafe" not in scripts
    assert headers["X-Content-Type-Options"] == "nosniff"
