"""What timed rebuilds prove, and their document."""

import json
from dataclasses import replace
from typing import Any

import pytest

from layerstack.build.buildlog import BuildReport, Step, Work
from layerstack.dockerfile.image import Image
from layerstack.rebuild.rebuild import summary
from layerstack.rebuild.timed import INSTALLERS, Rebuild, Run, read_run

CACHED = Step("web", "deps", 2, 3, "RUN install", is_cached=True, seconds=0.0)
EXECUTED = Step("web", "runtime", 2, 2, "COPY . .", is_cached=False, seconds=0.2)
RUN = Run(3.0, 0.1, 0.2, 0.3, (CACHED,), (EXECUTED,), (), "sha256:1")


def result(**changes: Any) -> Rebuild:
    good = Rebuild("web", "a.py", (RUN,), 30.0, is_base_unchanged=True, is_image_changed=True)
    return replace(good, **changes)


def test_all_is_well() -> None:
    assert result().failures == []
    assert result(budget_seconds=None).failures == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"budget_seconds": 2.9}, "budget"),
        ({"is_base_unchanged": False}, "base image changed"),
        ({"is_image_changed": False}, "did not change"),
        ({"runs": (RUN, replace(RUN, unexpected=("web: deps 2/3 RUN npm ci",)))}, "RUN npm ci"),
    ],
)
def test_what_is_not_as_it_must_be_is_said(changes: dict[str, Any], word: str) -> None:
    [failure] = result(**changes).failures
    assert word in failure
    assert summary([result(), result(**changes)])["ok"] is False


def test_the_median_counts() -> None:
    runs = tuple(replace(RUN, seconds=seconds) for seconds in (100.0, 1.0, 2.0))
    assert result(runs=runs).median_seconds == 2.0


def test_the_spread_is_told() -> None:
    runs = tuple(replace(RUN, seconds=seconds) for seconds in (3.0, 1.5, 2.0))
    assert result(runs=runs).spread_seconds == 1.5


def test_the_time_until_it_was_served_is_the_median_of_those_that_were_asked() -> None:
    served = tuple(replace(RUN, served_seconds=seconds) for seconds in (9.0, 4.0, 5.0))
    assert result(runs=served).served_seconds == 5.0
    assert result().served_seconds is None


def test_the_document_has_the_agreed_keys() -> None:
    document = json.loads(json.dumps(summary([result()])))
    assert document["ok"] is True
    [one] = document["rebuilds"]
    agreed = {"service", "ok", "median_seconds", "budget_seconds", "runs", "base_unchanged", "image_changed"}
    assert set(one) >= agreed | {"unexpected_steps"}
    assert set(one["runs"][0]) >= {
        "seconds",
        "context_seconds",
        "steps_seconds",
        "export_seconds",
        "cached",
        "executed",
    }
    assert (one["runs"][0]["cached"], one["runs"][0]["executed"]) == (1, 1)


@pytest.mark.parametrize(
    ("image", "stage", "instruction", "is_unexpected"),
    [
        ("web", "runtime", "COPY . .", False),
        ("web", "build", "RUN python -m compileall .", False),
        ("web", "deps", "COPY package.json .", True),
        ("web", "build", "RUN npm ci", True),
        ("base", "", "RUN echo", True),
    ],
)
def test_dependency_work_in_a_rebuild_is_unexpected(
    image: str, stage: str, instruction: str, is_unexpected: bool
) -> None:
    step = Step(image, stage, 2, 3, instruction, is_cached=False, seconds=1.0)
    cached = replace(step, image="base", stage="deps", instruction="RUN npm ci", is_cached=True)
    works = (Work("web", "transfer", 0.0, 0.5, "sent"), Work("web", "export", 1.0, 0.25, "made"))
    report = BuildReport(True, 2.0, (step, cached), works=works)
    run = read_run(report, Image("web", "web"), "sha256:1")
    assert bool(run.unexpected) is is_unexpected
    assert (run.context_seconds, run.export_seconds) == (0.5, 0.25)
    assert len(run.cached) == 1


@pytest.mark.parametrize(
    ("text", "installs"),
    [
        ("RUN pip install -r x", True),
        ("RUN --mount=type=cache,target=/c pip3 --quiet install x", True),
        ("RUN uv pip sync x", True),
        ("RUN apt-get update && apt-get install -y x", True),
        ("RUN npm ci --omit=dev", True),
        ("RUN apk --no-cache add x", True),
        ("RUN go mod download", True),
        ("RUN npm run build", False),
        ("RUN echo install", False),
        ("RUN npm run lint && echo install", False),
        ("RUN python -m compileall /app", False),
    ],
)
def test_what_counts_as_fetching_packages(text: str, installs: bool) -> None:
    assert bool(INSTALLERS.search(text)) is installs
