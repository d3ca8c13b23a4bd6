"""A saved source file reaches the open page, and the page keeps what the visitor did."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

SOURCE = Path(__file__).parents[2] / "backend" / "web" / "src"
# Parts above, beside and around the choice whose state has to stay.
COMPONENTS = ("App.jsx", "components/Masthead.jsx", "components/StanceChoice.jsx")


def test_saved_components_are_replaced_without_losing_the_state(page: Page) -> None:
    page.goto("/")
    page.get_by_role("radio", name="Goofy").check()
    page.evaluate("window.isSameVisit = true")
    for name in COMPONENTS:
        with page.expect_console_message(lambda message, name=name: f"hot updated: /src/{name}" in message.text):
            # A new time of change is what a save without a change is: the file itself stays as it is.
            (SOURCE / name).touch()
        expect(page.get_by_role("radio", name="Goofy")).to_be_checked()
        assert page.evaluate("window.isSameVisit")
