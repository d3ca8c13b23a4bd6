"""What verify finds of a deployed stack: who is asked by whom, and when a service counts as degraded or broken."""

from types import SimpleNamespace
from typing import Any

import pytest

from layerstack.deploy import deployed
from layerstack.deploy.deployed import StackReport, verify_stack
from layerstack.deploy.swarm import SwarmService, Task
from layerstack.errors import CheckFailed
from layerstack.verify import inside_http
from layerstack.verify.check_graph import CheckGraph

CHECK = {"check": "answers", "http": "/health"}


class Stack:
    """`web` with two replicas, the second one on another node; `db` shares a network with it."""

    def __init__(self) -> None:
        self.services = {
            "web": service("web", 2, task("web-1", 1, "here", "10.0.0.1"), task("web-2", 2, "there", "10.0.0.2")),
            "db": service("db", 1, task("db-1", 1, "here", "10.0.0.3")),
        }
        self.asked: list[tuple[str, str, str]] = []
        self.silent: set[str] = set()
        self.without_programs: set[str] = set()

    def ask_at(self, client: Any, declared: Any, container: str, address: str, seconds: float, host: str) -> str:
        if container in self.without_programs:
            return ""
        self.asked.append((container, address, host))
        if address in self.silent:
            raise CheckFailed("no answer")
        return "GET → 200"

    def verify(self) -> StackReport:
        client: Any = SimpleNamespace(info=lambda: {"Swarm": {"NodeID": "here", "ControlAvailable": True}})
        project: Any = SimpleNamespace(name="shop", services={"web": declared("web", CHECK), "db": declared("db")})
        return verify_stack(client, project)

    def states(self) -> dict[str, str]:
        return {one.service: one.state for one in self.verify().services}


def task(name: str, slot: int, node: str, address: str, state: str = "running") -> Task:
    return Task(name, state, "", True, "", slot, node, f"c-{name}", {"back": address})


def service(name: str, asked: int, *tasks: Task) -> SwarmService:
    return SwarmService(name, asked, "", "", tasks, is_job=False)


def declared(name: str, *checks: Any) -> Any:
    settings = SimpleNamespace(verify=checks)
    ports = (SimpleNamespace(target=80),)
    return SimpleNamespace(name=name, ports=ports, settings=settings, definition={}, replicas=1)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    made = Stack()
    monkeypatch.setattr(deployed, "read_services", lambda client, name: made.services)
    monkeypatch.setattr(deployed, "read_graph", lambda project: CheckGraph(tuple(project.services), {}))
    monkeypatch.setattr(deployed, "failure_words", lambda one, known: ": it ended")
    monkeypatch.setattr(inside_http, "ask_at", made.ask_at)
    return made


def test_every_replica_is_asked_by_another_service_of_this_node_under_its_own_name(stack: Stack) -> None:
    assert stack.verify().is_ok
    assert sorted(stack.asked) == [("c-db-1", "10.0.0.1:80", "web:80"), ("c-db-1", "10.0.0.2:80", "web:80")]


def test_below_what_was_asked_is_degraded_and_below_one_broken(stack: Stack) -> None:
    stack.silent = {"10.0.0.2:80"}
    found = stack.verify()
    assert [(one.service, one.state, one.working) for one in found.services] == [
        ("web", "degraded", 1),
        ("db", "fine", 1),
    ]
    assert not found.is_ok
    stack.silent |= {"10.0.0.1:80"}
    assert stack.states() == {"web": "broken", "db": "fine"}


def test_a_replica_that_does_not_run_counts(stack: Stack) -> None:
    stack.services["web"] = service("web", 2, task("web-1", 1, "here", "10.0.0.1"))
    assert stack.states() == {"web": "degraded", "db": "fine"}
    stack.services["web"] = service("web", 2)
    worst = stack.verify().worst
    assert worst
    assert worst.cause == "0 of 2 replicas run: it ended"


def test_who_has_no_program_to_ask_with_does_not_ask(stack: Stack) -> None:
    stack.without_programs = {"c-db-1"}
    assert stack.verify().is_ok
    assert {container for container, _, _ in stack.asked} == {"c-web-1"}
    stack.without_programs |= {"c-web-1"}
    (web, _) = stack.verify().services
    assert web.state == "fine"
    assert not any(check.is_asked for check in web.checks)


def test_a_service_that_is_not_in_the_stack_is_broken(stack: Stack) -> None:
    del stack.services["db"]
    assert stack.states() == {"web": "fine", "db": "broken"}


@pytest.mark.parametrize("wrong", [{"expct": {"a": 1}}, {"timeout_seconds": "soon"}])
def test_a_check_that_is_wrong_itself_fails_as_it_does_outside_a_swarm(stack: Stack, wrong: dict[str, Any]) -> None:
    client: Any = SimpleNamespace(info=lambda: {"Swarm": {"NodeID": "here", "ControlAvailable": True}})
    services = {"web": declared("web", {**CHECK, **wrong}), "db": declared("db")}
    project: Any = SimpleNamespace(name="shop", services=services)
    found = {one.service: one.state for one in verify_stack(client, project).services}
    assert found == {"web": "broken", "db": "fine"}


def test_a_service_scaled_to_zero_is_off_and_no_fault(stack: Stack) -> None:
    stack.services["web"] = service("web", 0)
    found = stack.verify()
    assert found.is_ok
    assert found.worst is None
    assert found.off == ("web",)
    assert [one.state for one in found.services] == ["off", "fine"]
    # A fault of another service stays one.
    stack.services["db"] = service("db", 1)
    worst = stack.verify().worst
    assert worst
    assert worst.service == "db"
