"""Every refusal of an upload is said in words, and the page goes on."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from photo_page import FILE_LABEL, choose_file, upload_photo
from playwright.sync_api import Page, Route, expect

# What the API may answer to an upload; the last column: does trying again help?
ANSWERS = [
    (400, "The request was not understood", False),
    (408, "The upload took too long", True),
    (413, "The file is too large", False),
    (415, "This kind of file is not supported", False),
    (429, "Too many requests", True),
    (500, "The service made an error", False),
    (502, "A part of the stack is not reachable", True),
    (503, "The service is not ready", True),
    (504, "The service took too long", True),
]


def test_text_file_is_refused_by_the_api_and_the_next_photo_taken(page: Page, astronaut: Path) -> None:
    page.goto("/")
    choose_file(page, "notes.txt", "text/plain", b"no photo at all")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("notes.txt")
    expect(alert).to_contain_text("photo")
    upload_photo(page, astronaut)
    expect(alert).to_have_count(0)


# Made inside the page: so many bytes take too long on their way to a browser in a container.
CHOOSE_HUGE_PHOTO = """
(input) => {
  const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0])
  const files = new DataTransfer()
  files.items.add(new File([jpeg, new Uint8Array(33 * 1024 * 1024)], 'huge.jpg', { type: 'image/jpeg' }))
  input.files = files.files
  input.dispatchEvent(new Event('change', { bubbles: true }))
}
"""


def test_photo_above_the_limit_is_refused_by_the_api(page: Page) -> None:
    page.goto("/")
    page.get_by_label(FILE_LABEL).evaluate(CHOOSE_HUGE_PHOTO)
    expect(page.get_by_role("alert")).to_contain_text("The file is too large")


def test_damaged_photo_ends_as_failed_with_its_reason(page: Page, astronaut: Path) -> None:
    page.goto("/")
    choose_file(page, "damaged.jpg", "image/jpeg", astronaut.read_bytes()[:2000])
    article = page.get_by_role("article", name="damaged.jpg")
    expect(article.get_by_role("alert")).to_be_visible(timeout=60_000)
    expect(article.get_by_role("button", name="Try again")).to_be_visible()


def test_answers_of_the_api_are_put_into_words(page: Page) -> None:
    page.goto("/")
    for status, title, is_temporary in ANSWERS:
        page.route("**/api/analyses?stance=auto", partial(refuse, status), times=1)
        choose_file(page, "run.jpg", "image/jpeg", b"x")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(f"The reason of {status}.")
        expect(alert).to_contain_text(title)
        expect(alert.get_by_role("button", name="Try again")).to_have_count(1 if is_temporary else 0)
        expect(page.get_by_label(FILE_LABEL)).to_be_attached()


def refuse(status: int, route: Route) -> None:
    """Answer as the API does."""
    problem = {"type": "about:blank", "title": "x", "status": status, "detail": f"The reason of {status}."}
    route.fulfill(status=status, content_type="application/problem+json", body=json.dumps(problem))
