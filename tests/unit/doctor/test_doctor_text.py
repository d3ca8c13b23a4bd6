"""The first line of doctor."""

import pytest

from layerstack.doctor.doctor_text import verdict
from layerstack.finding import Finding, error, warning


@pytest.mark.parametrize(
    ("problems", "text"),
    [
        ([], "nothing blocks a build or a start"),
        ([warning("a", "", "")], "nothing blocks a build or a start; 1 warning"),
        ([error("a", "", "")], "1 problem blocks a build or a start"),
        (
            [error("a", "", ""), error("b", "", ""), warning("c", "", "")],
            "2 problems block a build or a start; 1 warning",
        ),
    ],
)
def test_the_first_line_is_the_verdict(problems: list[Finding], text: str) -> None:
    assert verdict(problems) == text
