"""When a deploy is over, and what is said of one that is not well. The engine answers from a table."""

from types import SimpleNamespace
from typing import Any

import pytest

from layerstack.deploy import rollout, swarm
from layerstack.deploy.rollout import wait_for
from layerstack.errors import EngineError, StartFailed

TEMPLATE = {"ContainerSpec": {"Image": "new"}}


class Engine:
    """The services and tasks of the stack `shop`, as the engine's API lists them."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self.tasks: list[dict[str, Any]] = []
        api = SimpleNamespace(services=lambda **_: self.found, tasks=lambda **_: self.tasks)
        self.client: Any = SimpleNamespace(api=api)

    def service(self, name: str, asked: int, update: str = "", mode: str = "Replicated") -> None:
        spec = {"Name": f"shop_{name}", "TaskTemplate": TEMPLATE, "Mode": {mode: {}}}
        status = {"UpdateStatus": {"State": update}} if update else {}
        self.found.append({"ID": name, "Spec": spec, "ServiceStatus": {"DesiredTasks": asked}, **status})

    def task(self, service: str, state: str, spec: Any = None, error: str = "", desired: str = "running") -> None:
        status = {"State": state, "Err": error, "Timestamp": f"{len(self.tasks):03}"}
        # The engine fills in what nobody said.
        known = {**(spec or TEMPLATE), "Runtime": "container"}
        number = f"t{len(self.tasks)}"
        self.tasks.append(
            {"ID": number, "ServiceID": service, "Status": status, "DesiredState": desired, "Spec": known}
        )

    def wait(self, *names: str) -> dict[str, tuple[int, str]]:
        found = wait_for(self.client, "shop", names, frozenset({"old"}), 0, lambda _: None)
        return {one.name: (one.running, one.state) for one in found}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(rollout, "read_task_log", lambda task: (f"log of {task.id}",))
    monkeypatch.setattr(rollout, "POLL_SECONDS", 0)
    return Engine()


def test_all_run(engine: Engine) -> None:
    engine.service("web", 2, "completed")
    engine.task("web", "running")
    engine.task("web", "running")
    assert engine.wait("web") == {"web": (2, "fine")}


def test_fewer_than_asked_are_degraded(engine: Engine) -> None:
    engine.service("web", 2)
    engine.task("web", "running")
    engine.task("web", "pending")
    assert engine.wait("web") == {"web": (1, "degraded")}


def test_a_replica_of_the_old_image_does_not_count(engine: Engine) -> None:
    engine.service("web", 1)
    engine.task("web", "running", spec={"ContainerSpec": {"Image": "old"}})
    with pytest.raises(StartFailed, match="web: none of 1"):
        engine.wait("web")


def test_a_job_that_ended_well_is_fine_and_a_service_that_did_is_not(engine: Engine) -> None:
    engine.service("once", 1, mode="ReplicatedJob")
    engine.task("once", "running", desired="complete")
    with pytest.raises(StartFailed, match="once: none of 1"):
        engine.wait("once")
    engine.task("once", "complete", desired="complete")
    assert engine.wait("once") == {"once": (1, "fine")}
    engine.service("web", 1)
    engine.task("web", "complete", desired="shutdown")
    with pytest.raises(StartFailed, match="its program ended"):
        engine.wait("once", "web")


@pytest.mark.parametrize(("state", "words"), [("rollback_completed", "rolled back"), ("paused", "paused the update")])
def test_what_swarm_gave_up_is_named_with_the_last_failure_and_its_log(engine: Engine, state: str, words: str) -> None:
    engine.service("web", 1, state)
    engine.task("web", "running")
    engine.task("web", "failed", error="task: non-zero exit (1)", desired="shutdown")
    engine.task("web", "failed", error="task: non-zero exit (3)", desired="shutdown")
    with pytest.raises(StartFailed, match=words) as failed:
        engine.wait("web")
    assert "non-zero exit (3)" in str(failed.value)
    assert "log of t2" in str(failed.value)


def test_what_no_node_takes_says_why(engine: Engine) -> None:
    engine.service("web", 1)
    engine.task("web", "pending", error="no suitable node (insufficient resources on 1 node)")
    with pytest.raises(StartFailed, match="no suitable node"):
        engine.wait("web")


@pytest.mark.parametrize(
    ("state", "way"), [({}, "docker swarm init"), ({"NodeID": "n", "ControlAvailable": False}, "DOCKER_HOST")]
)
def test_an_engine_that_takes_no_stacks(state: dict[str, Any], way: str) -> None:
    client: Any = SimpleNamespace(info=lambda: {"Swarm": state})
    with pytest.raises(EngineError) as refused:
        swarm.require_manager(client)
    assert way in refused.value.advice
