"""The running services, and whether they run the current working tree."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from layerstack.engine import engine
from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_all
from layerstack.errors import EngineError, NotInEngine, reason
from layerstack.project.called import with_called
from layerstack.project.dependency import in_start_order
from layerstack.project.project import Device, Project, find_compose_files, load, with_overlay
from layerstack.run.address import addresses
from layerstack.run.conflict import find_orphans
from layerstack.run.dev_settings import recall, variables_of_dev
from layerstack.run.unmounted import overlay_path
from layerstack.status import compose_hash
from layerstack.status.freshness import Freshness, FreshnessReader
from layerstack.status.staleness import Stale


@dataclass(frozen=True)
class ServiceStatus:
    """One container of a service, or a service without one.

    `is_newest` is False when its image's tag points to another image by now.
    """

    service: str
    state: str
    image: str
    is_newest: bool
    uptime_seconds: float
    ports: tuple[str, ...]
    address: str
    device: Device
    stand_in_for: str = ""
    container: str = ""
    freshness: Freshness = field(default_factory=lambda: Freshness(()))

    @property
    def is_orphan(self) -> bool:
        """Whether it is a container of a service that no Compose file of the project has."""
        return any(stale.kind == "orphan" for stale in self.freshness.stale)

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "container": self.container or None,
            "state": self.state,
            "image": self.image,
            "newest": self.is_newest,
            "uptime_seconds": round(self.uptime_seconds),
            "ports": list(self.ports),
            "address": self.address,
            "device": self.device,
            "stand_in_for": self.stand_in_for or None,
            **self.freshness.to_json(),
        }


def read_status(project: Project) -> list[ServiceStatus]:
    """Every service in start order, `absent` without a container, orphans last. Changes nothing. Raises EngineError."""
    client = engine.client()
    found = read_all(client, project.name)
    project = with_called(project, found)
    try:
        return _read(client, as_started(project, found), found)
    except (EngineError, OSError) as error:
        raise EngineError(f"The engine stopped answering: {reason(error)}", "`invoke doctor` checks it.") from error


def document(statuses: Sequence[ServiceStatus]) -> dict[str, Any]:
    """All of it for programs; `ok` says that every service certainly runs what is in the working tree."""
    return {
        "ok": not any(one.freshness.stale for one in statuses if not one.is_orphan),
        "summary": summary(statuses),
        "repair": repair(statuses) or None,
        "services": [one.to_json() for one in statuses],
    }


def summary(statuses: Sequence[ServiceStatus]) -> str:
    """One line: how many services do not run the code that is here."""
    if orphans := orphans_text(statuses):
        return f"{summary([one for one in statuses if not one.is_orphan])}; {orphans}"
    services = list(dict.fromkeys(one.service for one in statuses))
    stale = {one.service for one in statuses if one.freshness.is_stale}
    doubtful = {one.service for one in statuses if one.freshness.stale} - stale
    unknown = {one.service for one in statuses if one.freshness.unknown} - stale - doubtful
    if services and all(one.state == "absent" for one in statuses):
        return "nothing runs"
    parts = [f"{len(stale)} of {len(services)} services do not run your code"] if stale else []
    parts += [f"{len(doubtful)} of {len(services)} may not run your code"] if doubtful else []
    if not parts and unknown:
        return f"no service is known to run old code, but {len(unknown)} of {len(services)} could not be fully checked"
    rest = [f"{len(unknown)} could not be fully checked"] if unknown else []
    return ", ".join([*(parts or ["everything runs your code"]), *rest])


def repair(statuses: Sequence[ServiceStatus]) -> str:
    """The one line that brings every service up to date, "" where nothing is to be done."""
    own = list({one.service: one for one in statuses if not one.is_orphan}.values())
    needs = {one.service: {stale.need for stale in one.freshness.stale} for one in own}
    renewed = [one for one in own if "renew" in needs[one.service]]
    rest = [one for one in own if one not in renewed]
    builds = [one.freshness.image for one in rest if "build" in needs[one.service]]
    ups = [one.service for one in rest if needs[one.service] & {"build", "recreate"}]
    # A container that is replaced needs no restart.
    restarts = [one.service for one in rest if needs[one.service] == {"restart"}]
    if ups and len(ups) == len(own):
        # A task without names means all services.
        ups, builds = [""], [""] if builds else []
    tasks = [("build", list(dict.fromkeys(builds))), ("up", ups), ("restart", restarts)]
    words = [" ".join([task, *names]).strip() for task, names in tasks if names]
    orphans = [one.container for one in statuses if one.is_orphan]
    # First, because an orphan may hold a port or a name that the services need.
    commands = [f"docker rm -f {' '.join(orphans)}"] if orphans else []
    commands += [f"invoke {' '.join(words)}"] if words else []
    return " && ".join([*commands, *(one.freshness.stale[0].repair for one in renewed)])


def orphans_text(statuses: Sequence[ServiceStatus]) -> str:
    """Which containers belong to no service of the Compose files, "" for none."""
    names = [one.container for one in statuses if one.is_orphan]
    return f"in no Compose file of this project: {', '.join(names)}" if names else ""


def _read(
    client: EngineClient, project: Project, containers: Mapping[str, tuple[Container, ...]]
) -> list[ServiceStatus]:
    reader, where = FreshnessReader(client, project, containers), addresses(project)
    statuses = []
    for name in in_start_order(project):
        service, address = project.services[name], where.get(name, "")
        lines = []
        for one in containers.get(name, ()):
            with suppress(NotInEngine):  # it was removed a moment ago
                lines.append(_status(client, name, one, address, reader.of(service, one)))
        statuses += lines or [_absent(name, service.image, address, reader.of_absent(service))]
    return statuses + [_orphan(client, one) for one in find_orphans(project, containers)]


def _orphan(client: EngineClient, container: Container) -> ServiceStatus:
    detail = f"no Compose file of this project has the service {container.service}"
    stale = Stale("orphan", detail, "remove", repair=f"docker rm -f {container.name}")
    return _status(client, container.service, container, "", Freshness((stale,)))


def _status(client: EngineClient, name: str, one: Container, address: str, freshness: Freshness) -> ServiceStatus:
    return ServiceStatus(
        service=name,
        state=one.state,
        image=one.image,
        is_newest=one.is_newest(client),
        uptime_seconds=one.uptime_seconds,
        ports=tuple(f"{port.address}→{port.target}" for port in one.ports),
        address=address,
        device="gpu" if one.has_gpu else "cpu",
        stand_in_for=one.stand_in_for,
        container=one.name,
        freshness=freshness,
    )


def _absent(name: str, image: str, address: str, freshness: Freshness) -> ServiceStatus:
    return ServiceStatus(name, "absent", image, True, 0.0, (), address, "cpu", freshness=freshness)


def as_started(project: Project, found: Mapping[str, tuple[Container, ...]]) -> Project:
    """The project as its containers were started: another device, or no mounts, is no change."""
    if project.overlay is None and (values := recall(project.root, found, lambda: compose_hash.read_hashes(project))):
        with variables_of_dev(values):
            as_dev = load(project.root, project.device)
        # Compose is asked again later.
        return replace(as_dev, secret_variables={**as_dev.secret_variables, **values})
    other: Device = "cpu" if project.device == "gpu" else "gpu"
    # The label of a container names its Compose files, which depend on the device that it was started for.
    files = tuple(str(path) for path in find_compose_files(project.root, other))
    used = {compose_hash.files_of(one) for containers in found.values() for one in containers}
    # On an engine that does not have this folder, `up` leaves out the mounts by one more file.
    overlay = overlay_path(project)
    if project.overlay is None and used == {(*map(str, project.compose_files), str(overlay))} and overlay.is_file():
        return with_overlay(project, project.name, overlay)
    is_other = project.overlay is None and used == {files} and files != tuple(map(str, project.compose_files))
    return load(project.root, other) if is_other else project
