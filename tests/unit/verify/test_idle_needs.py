"""A service whose one-shot has done its work is not waited for less than others."""

from pathlib import Path

import pytest

from layerstack.engine.container import Container
from layerstack.project.project import Project, Service
from layerstack.verify.verify import _is_idle

RUNS = Container("1", "c", "s", "running", "")
ENDED = Container("1", "c", "s", "exited", "")
FAILED = Container("1", "c", "s", "exited", "", exit_code=1)
WAITS = {"depends_on": {"migrate": {"condition": "service_completed_successfully"}}}
PROJECT = Project(
    Path(),
    "shop",
    "cpu",
    (),
    (),
    {},
    {"migrate": Service("migrate", "m", (), {}), "web": Service("web", "w", (), {**WAITS, "restart": "always"})},
)


@pytest.mark.parametrize(
    ("service", "containers", "is_idle"),
    [
        ("web", (RUNS,), False),
        ("web", (ENDED,), True),
        ("web", (RUNS, ENDED), True),
        ("web", (), True),
        ("migrate", (ENDED,), False),
        ("migrate", (FAILED,), True),
        ("migrate", (), True),
    ],
)
def test_what_does_not_run_and_has_not_ended_well_is_idle(
    service: str, containers: tuple[Container, ...], is_idle: bool
) -> None:
    assert _is_idle(PROJECT, service, containers) is is_idle
