"""Verifies a deployed stack: the checks of every replica, made over the stack's overlay network."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from layerstack.deploy.rollout import failure_words
from layerstack.deploy.swarm import SwarmService, Task, read_services, require_manager
from layerstack.engine.client import EngineClient
from layerstack.engine.container import from_inspect
from layerstack.errors import CheckFailed
from layerstack.project.project import Project, Service
from layerstack.verify import inside_http
from layerstack.verify.check_graph import read_graph
from layerstack.verify.checks import CheckResult, Target, as_check, ask_declared, check_name, run_declared
from layerstack.verify.http_check import NOT_CHECKED
from layerstack.verify.masking import mask
from layerstack.wait import ask_all, wait_until

POLL_SECONDS = 1.0
OFF = "scaled to zero"


@dataclass(frozen=True)
class DeployedService:
    """`working` replicas run and pass their checks, of a job those that succeeded. `cause` is "" when all is well.

    A service of which nobody asked for a replica is `off`, which is no fault.
    """

    service: str
    asked: int
    working: int
    checks: tuple[CheckResult, ...] = ()
    cause: str = ""

    @property
    def state(self) -> Literal["fine", "off", "degraded", "broken"]:
        if self.working >= self.asked:
            return "fine" if self.asked else "off"
        return "degraded" if self.working else "broken"

    @property
    def is_fault(self) -> bool:
        return self.state in ("degraded", "broken")

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "state": self.state,
            "asked": self.asked,
            "working": self.working,
            "cause": self.cause or None,
            "checks": [one.to_json() for one in self.checks],
        }


@dataclass(frozen=True)
class StackReport:
    """The result for a stack; `seconds` is the wall time."""

    stack: str
    seconds: float
    services: tuple[DeployedService, ...]

    @property
    def is_ok(self) -> bool:
        return not any(one.is_fault for one in self.services)

    @property
    def worst(self) -> DeployedService | None:
        """The first broken service, else the first degraded one; dependencies come before their users."""
        found = [one for one in self.services if one.is_fault]
        return min(found, key=lambda one: one.state != "broken", default=None)

    @property
    def off(self) -> tuple[str, ...]:
        return tuple(one.service for one in self.services if one.state == "off")

    def to_json(self) -> dict[str, Any]:
        services = [one.to_json() for one in self.services]
        return {"ok": self.is_ok, "seconds": round(self.seconds, 3), "stack": self.stack, "services": services}


def verify_stack(client: EngineClient, project: Project, wait_seconds: float = 0.0) -> StackReport:
    """Check all running replicas in parallel, repeatedly for `wait_seconds` until all is well.

    Raises EngineError.
    """
    started = time.monotonic()
    node_id = str(require_manager(client)["NodeID"])
    last: list[StackReport] = []

    def ask() -> bool:
        peers = _Peers(client, node_id, read_services(client, project.name))
        services = ask_all(lambda name: _examine(peers, project, name), read_graph(project).order)
        last[:] = [StackReport(project.name, time.monotonic() - started, tuple(services))]
        return last[0].is_ok

    wait_until(ask, wait_seconds, POLL_SECONDS) if wait_seconds else ask()
    return last[0]


class _Peers:
    """The services of the stack, and the replicas on this engine, from which the others can be asked."""

    def __init__(self, client: EngineClient, node_id: str, services: Mapping[str, SwarmService]) -> None:
        self.client = client
        self.services = services
        self.node_id = node_id
        self._here = [(one.name, task) for one in services.values() for task in _running(one) if self.is_here(task)]

    def is_here(self, task: Task) -> bool:
        return bool(task.container_id) and task.node_id == self.node_id

    def ask(self, declared: Mapping[str, Any], task: Task, service: Service, timeout_seconds: float) -> str:
        """The result of a check over a network of both, from another service if possible. Raises CheckFailed."""
        # A file would have to be copied into the container that sends the request.
        if "upload" in declared:
            return f"{NOT_CHECKED}: uploads are not checked from inside a stack"
        port = declared.get("port") or next((one.target for one in service.ports), None)
        if port is None:
            raise CheckFailed("the service does not publish any port")
        # Other services first: the request then takes the way that real ones take. The name of the service goes along
        # as the host, as servers may answer to known hosts only.
        for _, peer in sorted(self._here, key=lambda found: found[0] == service.name):
            for network in task.addresses.keys() & peer.addresses.keys():
                address, host = f"{task.addresses[network]}:{port}", f"{service.name}:{port}"
                if said := inside_http.ask_at(self.client, declared, peer.container_id, address, timeout_seconds, host):
                    return said
        return f"{NOT_CHECKED}: no container of this node that shares a network with it can send a request"


def _running(service: SwarmService) -> list[Task]:
    # During an update replicas of the previous version still serve.
    return [task for task in service.tasks if task.state == "running"]


def _examine(peers: _Peers, project: Project, name: str) -> DeployedService:
    if (one := peers.services.get(name)) is None:
        return DeployedService(name, 1, 0, cause="is not in the stack; `invoke deploy` adds it")
    if one.is_job:
        cause = "" if one.running >= one.asked else f"has not succeeded{failure_words(one, ())}"
        return DeployedService(name, one.asked, one.running, cause=cause)
    tasks, service = _running(one), project.services[name]
    asked = ask_all(lambda task: _ask(peers, project, service, task), tasks)
    working = sum(all(check.is_ok for check in checks) for checks in asked)
    checks = tuple(check for found in asked for check in found)
    return DeployedService(name, one.asked, working, checks, _cause(one, len(tasks), checks))


def _ask(peers: _Peers, project: Project, service: Service, task: Task) -> list[CheckResult]:
    def run(declared: Mapping[str, Any]) -> CheckResult:
        if "exec" in declared and peers.is_here(task):
            container = from_inspect(peers.client.api.inspect_container(task.container_id))
            return run_declared(declared, Target(peers.client, container, project.root))
        if "exec" in declared:
            # Its container is known only to the engine of that node.
            detail = f"{NOT_CHECKED}: the replica runs on another node"
            return CheckResult(check_name(declared), True, 0.0, detail, is_asked=False)
        return ask_declared(
            declared, lambda seconds: peers.ask(declared, task, service, seconds), inside_http.START_SECONDS
        )

    environment = {key: str(value) for key, value in (service.definition.get("environment") or {}).items()}
    found = ask_all(run, [as_check(entry) for entry in service.settings.verify])
    name = f"{service.name}.{task.slot}"
    return [replace(check, container=name, detail=mask(check.detail, environment)) for check in found]


def _cause(service: SwarmService, running: int, checks: Sequence[CheckResult]) -> str:
    if failed := next((check for check in checks if not check.is_ok), None):
        return f"{failed.container}: the check `{failed.check}` fails: {failed.detail}"
    if not service.asked:
        return OFF
    if running < service.asked:
        return f"{running} of {service.asked} replicas run{failure_words(service, ())}"
    return ""
