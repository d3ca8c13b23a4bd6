"""How long a build will take, told from history: medians of what really ran."""

from pathlib import Path
from typing import Any

import pytest

from layerstack.build import history
from layerstack.build.buildlog import Step
from layerstack.build.estimate import Estimate, read_estimate, rough, step_key


def record(root: Path, seconds: float, *steps: tuple[str, float], action: str = "built", kind: str = "build") -> None:
    listed = [{"step": name, "cached": time == 0, "seconds": time} for name, time in steps]
    image = {"image": "a", "action": action, "seconds": seconds, "steps": listed}
    history.append(root, kind, {"images": [image, {"image": "other", "action": "built", "seconds": 9}]})


def step(name: str, started: float | None = None, completed: float | None = None, is_cached: bool = False) -> Step:
    stage, number, instruction = name.split(" ", 2)
    position, total = number.split("/")
    return Step("a", stage, int(position), int(total), instruction, is_cached, 0.0, started, completed)


def test_nothing_known_says_nothing(tmp_path: Path) -> None:
    assert read_estimate(tmp_path, ("a",)) == Estimate({}, {})
    assert Estimate().text("a", [], 0) == ""


def test_usual_is_the_median_of_the_last_five_builds_that_ran_something(tmp_path: Path) -> None:
    for seconds in (1000, 1000, 1, 2, 30, 4, 5):
        record(tmp_path, seconds, ("deps 2/2 RUN x", seconds))
    record(tmp_path, 0.1, action="fresh")
    record(tmp_path, 0.2, ("deps 2/2 RUN x", 0))
    record(tmp_path, 77, ("deps 2/2 RUN x", 77), kind="rebuild")
    found = read_estimate(tmp_path, ("a", "b"))
    assert found.usual_seconds == {"a": 4}
    assert found.step_seconds == {"a": {"deps RUN x": 4}}


def test_a_step_that_is_no_longer_there_is_forgotten(tmp_path: Path) -> None:
    record(tmp_path, 5, ("deps 2/3 RUN old", 3), ("deps 3/3 RUN x", 2))
    record(tmp_path, 2, ("deps 2/2 RUN x", 2))
    assert read_estimate(tmp_path, ("a",)).step_seconds == {"a": {"deps RUN x": 2}}


@pytest.mark.parametrize(
    "damaged",
    [
        {"images": None},
        {"images": ["a", 7]},
        {"images": [{"image": "a"}]},
        {"images": [{"image": ["a"], "action": "built"}]},
        {"images": [{"image": "a", "action": "fresh", "steps": None}]},
    ],
)
def test_records_of_another_shape_are_passed_over(tmp_path: Path, damaged: dict[str, Any]) -> None:
    history.append(tmp_path, "build", damaged)
    record(tmp_path, 3, ("deps 2/2 RUN x", 3))
    assert read_estimate(tmp_path, ("a",)).usual_seconds == {"a": 3}


def test_what_is_left_counts_what_is_done_running_and_cached() -> None:
    known = Estimate({"a": 100.0}, {"a": {"deps RUN x": 60.0, "deps RUN y": 30.0, "app RUN z": 10.0}})
    done, running = step("deps 2/3 RUN x", 0, 50), step("deps 3/3 RUN y", 50)
    assert known.remaining_seconds("a", [], 0) is None
    assert known.remaining_seconds("a", [step("deps 2/3 RUN x", 0)], 20) == 80
    assert known.remaining_seconds("a", [done, running], 60) == 30
    assert known.remaining_seconds("a", [done, running], 500) == 10
    assert known.remaining_seconds("a", [step("deps 2/3 RUN x", 0, 0, is_cached=True), running], 50) == 40
    assert known.remaining_seconds("a", [step("deps 2/3 RUN x", 0, 0, is_cached=True)], 50) is None
    assert known.remaining_seconds("elsewhere", [running], 60) is None


def test_the_words_name_both_once() -> None:
    known = Estimate({"a": 840.0}, {"a": {"deps RUN x": 840.0}})
    assert known.text("a", [], 0) == "usually 14 min"
    assert known.text("a", [step("deps 2/2 RUN x", 0)], 120) == "about 12 min left, usually 14"
    assert known.text("a", [step("deps 2/2 RUN x", 0)], 800) == "about 40 s left, usually 14 min"


def test_a_step_is_known_again_after_others_came_before_it() -> None:
    assert step_key("deps 2/4 RUN  x") == step_key("deps 3/5 RUN x") == "deps RUN x"
    assert step_key("2/4 COPY 1/2 .") == "COPY 1/2 ."


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "1 s"), (40.4, "40 s"), (89, "89 s"), (90, "2 min"), (840, "14 min"), (9000, "2.5 h")]
)
def test_an_estimate_is_not_more_exact_than_it_is(seconds: float, text: str) -> None:
    assert rough(seconds) == text
