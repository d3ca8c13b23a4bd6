"""Deploys to a swarm: builds and pushes the images, names them by digest in a stack file, waits for the update.

Swarm moves containers, but not volumes: each service that keeps data stays on the node that has them.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from layerstack import command
from layerstack.build.progress import BuildObserver
from layerstack.deploy import swarm
from layerstack.deploy.compose_document import read_document
from layerstack.deploy.pinned_images import deployed_services, pin, publish, wanted_images
from layerstack.deploy.rollout import wait_for
from layerstack.deploy.service_policy import Facts, keeps_data
from layerstack.deploy.stack_file import StackFile, make_stack_file
from layerstack.deploy.swarm import SwarmService, read_constraints
from layerstack.engine import engine
from layerstack.engine.client import EngineClient
from layerstack.engine.container import runs_something
from layerstack.errors import StartFailed, quoted_end
from layerstack.project.project import Project
from layerstack.registry.team import require_team
from layerstack.report import Say

PIN = "node.id == "


@dataclass(frozen=True)
class Deployment:
    """The stack file, and the replicas that run after it was deployed; () when it was only made."""

    stack: str
    file: StackFile
    replicas: tuple[SwarmService, ...] = ()

    @property
    def is_ok(self) -> bool:
        return all(one.state == "fine" for one in self.replicas)

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.is_ok,
            "stack": self.stack,
            "images": {name: one["image"] for name, one in self.file.document["services"].items()},
            "services": [one.to_json() for one in self.replicas],
            "changes": [asdict(one) for one in self.file.changes],
        }


def explain(project: Project) -> Deployment:
    """The file that would be deployed; images that are not in the registry yet have a tag instead of a digest.

    Nothing is built, pushed or deployed. Raises UsageError without a registry.
    """
    project.require_services()
    wanted = wanted_images(project, require_team(project), deployed_services(project))
    client, nodes = engine.client(), {}
    state = client.info().get("Swarm") or {}
    document = read_document(project)
    if state.get("ControlAvailable"):
        # Only a manager lists the nodes; without one the file is shown as for a swarm of one.
        nodes = data_nodes(client, state, project.name, document)
    facts = Facts(swarm.has_virtual_ips(), nodes)
    return Deployment(project.name, make_stack_file(project.root, document, pin(wanted), facts))


def deploy(project: Project, timeout_seconds: float, observer: BuildObserver | None, say: Say) -> Deployment:
    """Build, push, deploy, and wait until all replicas run, at most `timeout_seconds`.

    Raises UsageError, EngineError, BuildFailed, CheckFailed when the registry refuses an image, StartFailed when Swarm
    refuses the file or rolls an update back, or when no replica of a service runs.
    """
    project.require_services()
    require_team(project)
    client = engine.client()
    state = swarm.require_manager(client)
    _require_no_compose(client, project)
    document = read_document(project)
    facts = Facts(swarm.has_virtual_ips(), data_nodes(client, state, project.name, document))
    file = make_stack_file(project.root, document, publish(project, observer, say), facts)
    before = swarm.read_services(client, project.name)
    # Swarm keeps tasks that failed earlier: they must not be quoted as the reason of this update.
    known = frozenset(task.id for one in before.values() for task in one.tasks)
    _hand_over(project, file, [name for name in file.jobs if name in before])
    _end_services(project, before, say)
    replicas = wait_for(client, project.name, tuple(file.document["services"]), known, timeout_seconds, say)
    return Deployment(project.name, file, replicas)


def _require_no_compose(client: EngineClient, project: Project) -> None:
    """Raises StartFailed while Compose runs the project."""
    # Volumes have the same names under both: two databases would write to one folder.
    if runs_something(client, project.name):
        msg = f"{project.name} runs under Compose on this engine, with the same volumes."
        raise StartFailed(msg, "`invoke down` keeps the data; or choose another COMPOSE_PROJECT_NAME.")


def _hand_over(project: Project, file: StackFile, ended_jobs: list[str]) -> None:
    # Through stdin: the file contains passwords and is stored nowhere.
    argv = ["docker", "stack", "deploy", "--with-registry-auth", "--compose-file", "-", project.name]
    given = command.run(argv, cwd=project.root, stdin=file.text)
    if not given.ok:
        said = quoted_end(given.stderr.strip().splitlines())
        raise StartFailed(f"Swarm refuses the stack file:\n{said}", "`invoke deploy --explain` prints it.")
    # Swarm does not repeat a job whose definition is the same.
    for name in ended_jobs:
        command.run(["docker", "service", "update", "--force", "--detach", f"{project.name}_{name}"]).require()


def _end_services(project: Project, before: Collection[str], say: Say) -> None:
    """Scale to zero what the Compose file has no replicas of; what is not in it, or in no active profile, stays."""
    # `docker stack deploy` touches only what is in its file.
    for name in before:
        service = project.services.get(name)
        if service is None:
            remove = f"`docker service rm {project.name}_{name}`"
            lack = "its profile is not active" if name in project.inactive else "is not in the Compose file"
            say(f"{name} runs on from an earlier deploy, and {lack} → {remove}")
        elif not service.replicas:
            command.run(["docker", "service", "scale", "--detach", f"{project.name}_{name}=0"]).require()


def data_nodes(
    client: EngineClient, swarm: Mapping[str, Any], stack: str, document: Mapping[str, Any]
) -> dict[str, str]:
    """The node of each service that keeps data; {} for a swarm of one. `document` is what Compose resolved.

    A service stays where it is pinned, or where one of its volumes is. A new one goes to the node with the fewest, so
    that the members of a replica set are spread.
    """
    if int(swarm.get("Nodes") or 1) < 2:
        return {}
    # An engine lists the volumes of its own node only: where data on another node is, the pins of the last deploy tell.
    own, here = str(swarm["NodeID"]), {one.name for one in client.volumes.list()}
    volumes = {name: _volumes(document, name) for name, one in document["services"].items() if keeps_data(one)}
    placed = {
        name: text.removeprefix(PIN)
        for name, constraints in read_constraints(client, stack).items()
        for text in constraints
        if name in volumes and text.startswith(PIN)
    }
    free = [own, *(node for node in _usable_nodes(client) if node != own)]
    for name, used in volumes.items():
        # Services on one volume belong on one node: elsewhere the second one would get an empty volume of that name.
        shared = (node for other, node in placed.items() if used & volumes[other])
        counts = Counter(placed.values())
        fewest = own if used & here else min(free, key=lambda node: counts[node])
        placed.setdefault(name, next(shared, fewest))
    return placed


def _volumes(document: Mapping[str, Any], service: str) -> frozenset[str]:
    """The names that the volumes of a service have on a node."""
    declared = document.get("volumes") or {}
    mounts = document["services"][service].get("volumes") or ()
    names = (str(mount["source"]) for mount in mounts if mount["type"] == "volume" and mount.get("source"))
    return frozenset(str((declared.get(name) or {}).get("name") or name) for name in names)


def _usable_nodes(client: EngineClient) -> list[str]:
    nodes: list[dict[str, Any]] = client.api.nodes()
    ready = (one for one in nodes if one["Status"]["State"] == "ready" and one["Spec"]["Availability"] == "active")
    return [str(one["ID"]) for one in ready]
