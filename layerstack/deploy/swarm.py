"""The swarm of the engine: whether it accepts stacks, the services of a stack and their tasks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from layerstack import command
from layerstack.engine import texts
from layerstack.engine.client import EngineClient
from layerstack.engine.container import runs_something
from layerstack.engine.place import find_place
from layerstack.errors import EngineError, RefusedByEngine, StartFailed
from layerstack.project.project import Project

STACK_LABEL = "com.docker.stack.namespace"
FAILED = ("failed", "rejected", "orphaned")
LOG_LINES, LOG_SECONDS = 10, 5.0


@dataclass(frozen=True)
class Task:
    """One replica, running or not; `is_current` says whether it matches the current definition of the service.

    `addresses` are by network; `container_id` is valid on the node `node_id` only.
    """

    id: str
    state: str
    error: str
    is_current: bool
    at: str
    slot: int = 0
    node_id: str = ""
    container_id: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SwarmService:
    """One service of the stack; `update` is the state of its last update, "" when there was none."""

    name: str
    asked: int
    update: str
    message: str
    tasks: tuple[Task, ...]
    is_job: bool

    @property
    def running(self) -> int:
        """The current replicas that run, with a health check only the healthy ones, of a job those that succeeded."""
        wanted = "complete" if self.is_job else "running"
        return sum(task.is_current and task.state == wanted for task in self.tasks)

    @property
    def state(self) -> Literal["fine", "degraded", "broken"]:
        """By its replicas alone: none runs is `broken`, too few are `degraded`."""
        if self.running >= self.asked:
            return "fine"
        return "degraded" if self.running else "broken"

    def to_json(self) -> dict[str, Any]:
        return {"service": self.name, "asked": self.asked, "running": self.running, "state": self.state}

    def failures(self, known: Iterable[str]) -> list[Task]:
        """The failed tasks that are not known, the last one first."""
        # A replica that Swarm stops for a failing health check, and that exits with 0, is "complete".
        ends = FAILED if self.is_job else (*FAILED, "complete")
        failed = [task for task in self.tasks if task.state in ends and task.id not in known]
        return sorted(failed, key=lambda task: task.at, reverse=True)


def require_manager(client: EngineClient) -> Mapping[str, Any]:
    """The engine's facts about its swarm. Raises EngineError when it is not a manager."""
    swarm: Mapping[str, Any] = client.info().get("Swarm") or {}
    if said := str(swarm.get("Error") or ""):
        raise EngineError(f"The swarm of this engine does not work: {said}", "`docker node ls` on another manager.")
    if not swarm.get("ControlAvailable"):
        kind = "a worker of a swarm, not a manager" if swarm.get("NodeID") else "in no swarm"
        way = "Use a manager: DOCKER_HOST, or `docker context use`." if swarm.get("NodeID") else "`docker swarm init`"
        raise EngineError(f"This engine is {kind}: only managers take and show stacks.", way)
    return swarm


def has_virtual_ips() -> bool:
    """Whether the kernel has IP_VS, which Swarm's virtual addresses need; assumed of another machine."""
    # What the kernel of another machine has cannot be seen from here.
    return find_place().is_remote or Path("/proc/net/ip_vs").exists()


def read_constraints(client: EngineClient, stack: str) -> dict[str, tuple[str, ...]]:
    """The placement constraints of each service."""
    return {
        _own_name(one, stack): tuple((one["Spec"]["TaskTemplate"].get("Placement") or {}).get("Constraints") or ())
        for one in _services(client, stack)
    }


def is_deployed(client: EngineClient, project: Project) -> bool:
    """Whether the project runs as a stack of this swarm, and not under Compose.

    Raises EngineError when the swarm cannot say: a manager without the majority of the others knows nothing.
    """
    if runs_something(client, project.name):
        return False
    try:
        return bool(read_services(client, project.name))
    except RefusedByEngine as refusal:
        said = str(refusal.args[0])
        if texts.says(said, *texts.NO_LEADER):
            raise EngineError(
                f"The swarm of this engine has no leader: whether {project.name} runs on it is unknown.",
                "Bring back more than half of its managers; `docker node ls` on one of them lists all.",
            ) from refusal
        if not texts.says(said, *texts.NO_MANAGER):
            raise
        # A worker cannot list services, but it has the containers of its own replicas.
        filters = {"label": [f"{STACK_LABEL}={project.name}"]}
        return texts.says(said, *texts.WORKER) and bool(client.api.containers(filters=filters))


def require_not_deployed(client: EngineClient, project: Project) -> None:
    """Raises StartFailed for what runs as a stack of this swarm."""
    # Volumes have the same names under both: two databases would write to one folder.
    if is_deployed(client, project):
        msg = f"{project.name} runs as a stack on this swarm, with the same volumes."
        raise StartFailed(msg, f"`invoke deploy` updates it; `docker stack rm {project.name}` ends it.")


def read_services(client: EngineClient, stack: str) -> dict[str, SwarmService]:
    """The services by their names in the Compose file. Raises EngineError."""
    tasks: dict[str, list[Mapping[str, Any]]] = {}
    # One request for all services, as each is a round trip.
    for task in client.api.tasks(filters={"label": f"{STACK_LABEL}={stack}"}):
        tasks.setdefault(task["ServiceID"], []).append(task)
    found = (_service(one, stack, tasks.get(one["ID"], ())) for one in _services(client, stack))
    return {one.name: one for one in found}


def read_task_log(task: Task) -> tuple[str, ...]:
    """The last lines of a task; () when no node has them any more."""
    argv = ["docker", "service", "logs", "--raw", "--tail", str(LOG_LINES), task.id]
    asked = command.run(argv, timeout_seconds=LOG_SECONDS)
    return tuple((asked.stdout + asked.stderr).splitlines()[-LOG_LINES:]) if asked.ok else ()


def _services(client: EngineClient, stack: str) -> list[dict[str, Any]]:
    filters = {"label": f"{STACK_LABEL}={stack}"}
    found: list[dict[str, Any]] = client.api.services(filters=filters, status=True)
    return found


def _own_name(service: Mapping[str, Any], stack: str) -> str:
    return str(service["Spec"]["Name"]).removeprefix(f"{stack}_")


def _service(service: Mapping[str, Any], stack: str, tasks: Iterable[Mapping[str, Any]]) -> SwarmService:
    template, update = service["Spec"]["TaskTemplate"], service.get("UpdateStatus") or {}
    # Swarm's own count leaves out replicas that it no longer restarts.
    declared = (service["Spec"]["Mode"].get("Replicated") or {}).get("Replicas")
    desired = (service.get("ServiceStatus") or {}).get("DesiredTasks") or 0
    return SwarmService(
        _own_name(service, stack),
        int(desired if declared is None else declared),
        str(update.get("State") or ""),
        str(update.get("Message") or ""),
        tuple(_task(task, template) for task in tasks),
        "ReplicatedJob" in service["Spec"]["Mode"] or "GlobalJob" in service["Spec"]["Mode"],
    )


def _task(task: Mapping[str, Any], template: Mapping[str, Any]) -> Task:
    status = task["Status"]
    # Swarm makes the same comparison to decide whether to replace a task.
    is_same = _comparable(task["Spec"]) == _comparable(template)
    is_current = task["DesiredState"] in ("running", "complete", "ready") and is_same
    attached = ((one["Network"]["ID"], one.get("Addresses") or ()) for one in task.get("NetworksAttachments") or ())
    return Task(
        task["ID"],
        status["State"],
        str(status.get("Err") or ""),
        is_current,
        str(status.get("Timestamp")),
        int(task.get("Slot") or 0),
        str(task.get("NodeID") or ""),
        str((status.get("ContainerStatus") or {}).get("ContainerID") or ""),
        {network: found[0].partition("/")[0] for network, found in attached if found},
    )


def _comparable(spec: Mapping[str, Any]) -> dict[str, Any]:
    # The engine fills this key in for a task, and not in the template of its service.
    return {key: value for key, value in spec.items() if key != "Runtime"}
