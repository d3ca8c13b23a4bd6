"""A rebuild that became slower: said with the commit and the step that did it, and silent about noise."""

from pathlib import Path
from typing import Any

import pytest

from layerstack.build import history
from layerstack.build.buildlog import Step
from layerstack.rebuild.regression import find_regression


def step(instruction: str, seconds: float, number: int = 2) -> Step:
    return Step("web", "runtime", number, 4, instruction, is_cached=False, seconds=seconds, place="web/Dockerfile:31")


COPY = step("COPY . .", 0.1)


def record(root: Path, seconds: float, *executed: Step, service: str = "web", spread: float = 0.1) -> None:
    steps = [{"step": one.name, "place": one.place, "seconds": one.seconds} for one in executed]
    fields: dict[str, Any] = {"service": service, "median_seconds": seconds, "spread_seconds": spread}
    history.append(root, "rebuild", {**fields, "runs": [{"executed_steps": steps}]})


def test_the_first_rebuild_has_nothing_to_compare_with(tmp_path: Path) -> None:
    assert find_regression(tmp_path, "web", 9.0, (COPY,)) == ""


def test_a_new_step_is_named_with_its_place(tmp_path: Path) -> None:
    record(tmp_path, 1.0, COPY)
    found = find_regression(tmp_path, "web", 5.1, (COPY, step("RUN slow", 4.0, number=3)))
    assert found.startswith("+4.1 s since ")
    assert "new RUN slow, web/Dockerfile:31" in found


def test_a_step_that_has_grown_is_named(tmp_path: Path) -> None:
    record(tmp_path, 1.0, COPY, step("RUN pack", 0.5, number=3))
    found = find_regression(tmp_path, "web", 4.0, (COPY, step("RUN pack", 3.5, number=3)))
    assert "RUN pack, web/Dockerfile:31 took 0.5 s, now 3.5 s" in found


def test_when_no_step_explains_it_that_is_said(tmp_path: Path) -> None:
    record(tmp_path, 1.0, COPY)
    assert "no slower" in find_regression(tmp_path, "web", 4.0, (COPY,))


@pytest.mark.parametrize(
    ("before", "now", "spread"), [(1.0, 1.4, 0.0), (10.0, 12.0, 0.0), (3.0, 5.0, 2.5), (5.0, 1.0, 0.0)]
)
def test_noise_and_gains_are_not_reported(tmp_path: Path, before: float, now: float, spread: float) -> None:
    record(tmp_path, before, COPY, spread=spread)
    assert find_regression(tmp_path, "web", now, (COPY,)) == ""


def test_other_services_do_not_count(tmp_path: Path) -> None:
    record(tmp_path, 1.0, COPY, service="api")
    assert find_regression(tmp_path, "web", 9.0, (COPY,)) == ""


def test_the_commit_of_the_last_rebuild_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "read_commit", lambda root: {"commit": "a1b2c3d", "dirty": True})
    record(tmp_path, 1.0, COPY)
    assert "since a1b2c3d (dirty): " in find_regression(tmp_path, "web", 9.0, (COPY,))
