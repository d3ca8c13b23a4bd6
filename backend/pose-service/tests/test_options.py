"""Fields of a request."""

from __future__ import annotations

import pytest

from pose_service.finding.people_finder import FindOptions
from pose_service.settings import Settings
from pose_service.web.options import parse_options
from pose_service.web.problem import ProblemError

SETTINGS = Settings(max_people=8, max_passes=40)


def test_defaults() -> None:
    options = parse_options({}, SETTINGS)
    assert options.find == FindOptions(max_people=8, min_score=0.5, max_passes=40)
    assert (options.stance, options.is_drawing) == ("auto", False)


def test_everything_given() -> None:
    fields = {"max_people": "3", "min_score": "0.75", "stance": "goofy", "draw": "1"}
    options = parse_options(fields, SETTINGS)
    assert options.find == FindOptions(3, 0.75, 40)
    assert (options.stance, options.is_drawing) == ("goofy", True)


@pytest.mark.parametrize("text", ["0", "1", "0.6702986005577222", "5e-1", "1e-05", "1.0E-2", "1e-320"])
def test_a_number_is_taken_as_programs_write_it(text: str) -> None:
    assert parse_options({"min_score": text}, SETTINGS).find.min_score == float(text)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("max_people", "0"),
        ("max_people", "9"),
        ("max_people", "2.5"),
        ("max_people", ""),
        ("max_people", "9" * 5000),
        ("max_people", "\uff13"),
        ("max_people", " 3"),
        ("max_people", "+3"),
        ("max_people", "0_3"),
        ("min_score", "\uff10.5"),
        ("min_score", "1e300"),
        ("min_score", "-0.1"),
        ("min_score", "1.1"),
        ("min_score", "nan"),
        ("min_score", "inf"),
        ("stance", "switch"),
        ("stance", ""),
        ("draw", "yes"),
    ],
)
def test_anything_else_is_a_problem_that_names_the_field(field: str, text: str) -> None:
    with pytest.raises(ProblemError, match=field) as caught:
        parse_options({field: text}, SETTINGS)
    assert (caught.value.status, caught.value.kind) == (400, "bad-option")
    assert len(caught.value.detail) < 200
