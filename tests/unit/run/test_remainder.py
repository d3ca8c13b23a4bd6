"""What is left of a start once the containers are made."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from layerstack.engine.container import Container
from layerstack.project.project import Project, Service
from layerstack.run.remainder import awaited_jobs, can_be_split, remainder

CHECK = {"healthcheck": {"test": ["CMD", "true"]}, "restart": "always"}
SERVICES: dict[str, dict[str, Any]] = {
    "database": CHECK,
    "migrate": {"depends_on": {"database": {"condition": "service_healthy"}}},
    "api": {**CHECK, "depends_on": {"migrate": {"condition": "service_completed_successfully"}}},
    "page": {"restart": "always", "depends_on": {"api": {"condition": "service_healthy"}}},
}
HEALTHY = Container("1", "x", "x", "running", "", health="healthy", health_command=("CMD", "true"))
PLAIN = Container("1", "x", "x", "running", "")
OVER = Container("1", "x", "x", "exited", "")
UP = {"database": (HEALTHY,), "migrate": (OVER,), "api": (HEALTHY,), "page": (PLAIN,)}
NAMES = tuple(SERVICES)


def a_project(**changed: dict[str, Any]) -> Project:
    definitions = {name: {**definition, **changed.get(name, {})} for name, definition in SERVICES.items()}
    services = {name: Service(name, "", (), definition) for name, definition in definitions.items()}
    return Project(Path(), "demo", "cpu", (), (), {}, services)


def test_a_job_that_is_over_is_all_that_is_left() -> None:
    assert remainder(a_project(), NAMES, UP) == ("migrate",)
    assert awaited_jobs(a_project(), NAMES) == {"migrate"}


def test_what_was_replaced_or_ended_is_left_in_start_order() -> None:
    found = {**UP, "api": (replace(HEALTHY, status="created", health=""),), "page": (replace(PLAIN, status="exited"),)}
    assert remainder(a_project(), NAMES, found) == ("migrate", "api", "page")


def test_one_idle_replica_is_enough() -> None:
    assert remainder(a_project(), NAMES, {**UP, "page": (PLAIN, OVER)}) == ("migrate", "page")


@pytest.mark.parametrize(
    "changed",
    [
        {"api": ()},
        {"api": (replace(HEALTHY, health="starting"),)},
        {"api": (replace(HEALTHY, health="unhealthy"),)},
        {"page": (replace(PLAIN, status="paused"),)},
        {"page": (replace(PLAIN, status="restarting"),)},
        # A job that runs is waited for, and health without a check is refused.
        {"migrate": (PLAIN,)},
        {"api": (PLAIN,)},
        {"api": (replace(PLAIN, health_command=("NONE",)),)},
    ],
)
def test_the_rest_is_for_compose_to_tell(changed: dict[str, tuple[Container, ...]]) -> None:
    assert remainder(a_project(), NAMES, {**UP, **changed}) is None


@pytest.mark.parametrize(
    "definition",
    [
        {"provider": {"type": "model"}},
        {"network_mode": "service:api"},
        {"volumes_from": ["api"]},
        {"links": ["api"]},
        {"pull_policy": "always"},
    ],
)
def test_a_service_that_refers_to_others_goes_the_usual_way(definition: dict[str, Any]) -> None:
    assert can_be_split(a_project(page={"network_mode": "host", "pull_policy": "missing"}), NAMES, UP)
    assert not can_be_split(a_project(page=definition), NAMES, UP)


def test_a_stack_of_which_nothing_runs_goes_the_usual_way() -> None:
    assert not can_be_split(a_project(), NAMES, {"migrate": (OVER,)})
