"""The mounts of a service: bind mounts, volumes, tmpfs, and the volumes that its image declares."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from layerstack.engine.client import EngineClient
from layerstack.engine.container import ONE_OFF_LABEL, PROJECT_LABEL, SERVICE_LABEL
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project, Service

Kind = Literal["bind", "volume", "anonymous", "tmpfs"]
VOLUME_LABEL = "com.docker.compose.volume"


@dataclass(frozen=True)
class ServiceMount:
    """`source` is a path of the host, or the name of an existing volume; "" for one yet to be created."""

    kind: Kind
    target: str
    source: str = ""
    place: str = ""
    is_filled: bool = True

    @property
    def words(self) -> str:
        names = {
            "bind": "the bind mount",
            "volume": "the volume",
            "anonymous": "the anonymous volume",
            "tmpfs": "tmpfs",
        }
        named = f" {self.source}" if self.source and self.kind != "anonymous" else ""
        return f"{names[self.kind]}{named} over {self.target}"

    def covers(self, path: str) -> bool:
        return path == self.target or path.startswith(f"{self.target.rstrip('/')}/")


@dataclass(frozen=True)
class Volumes:
    """The existing volumes of the project: by name in the Compose file, and by service and path."""

    named: Mapping[str, str]
    anonymous: Mapping[tuple[str, str], str]


def read_volumes(client: EngineClient, project: Project) -> Volumes:
    """From the engine. Raises EngineError."""
    label = f"{PROJECT_LABEL}={project.name}"
    volumes = client.api.volumes(filters={"label": label}).get("Volumes") or ()
    named = {(one.get("Labels") or {}).get(VOLUME_LABEL, ""): str(one["Name"]) for one in volumes}
    # Compose labels no anonymous volume with its place: it is found by the container that has it.
    anonymous: dict[tuple[str, str], str] = {}
    for entry in client.api.containers(all=True, filters={"label": [label, f"{ONE_OFF_LABEL}=False"]}):
        service = (entry.get("Labels") or {}).get(SERVICE_LABEL, "")
        for mount in entry.get("Mounts") or ():
            if mount.get("Type") == "volume" and mount.get("Name") not in named.values():
                anonymous[service, str(mount["Destination"])] = str(mount["Name"])
    return Volumes(named, anonymous)


def mounts_of(
    service: Service, declared: Iterable[str], volumes: Volumes, source: ComposeSource
) -> tuple[ServiceMount, ...]:
    """All mounts of a container of this service; `declared` are the VOLUME paths of its image."""
    written = list(source.entries("services", service.name, "volumes"))
    # By path: what the Compose file mounts takes the place of a volume that the image declares there.
    found: dict[str, ServiceMount] = {}
    for path in declared:
        # The engine mounts `VOLUME /data/` at /data.
        target = _clean(path)
        found[target] = ServiceMount("anonymous", target, volumes.anonymous.get((service.name, target), ""))
    for entry in service.definition.get("volumes") or ():
        mount = _mount(entry, service.name, volumes, _place(service.name, entry, written, source))
        if mount:
            found[mount.target] = mount
    for path in _tmpfs(service):
        found[path] = ServiceMount("tmpfs", path, place=source.place("services", service.name, "tmpfs"))
    return tuple(found.values())


def declared_targets(service: Service) -> set[str]:
    """Where the Compose file mounts something, of whatever kind."""
    volumes = service.definition.get("volumes") or ()
    return {*(_clean(str(one.get("target", "/"))) for one in volumes), *_tmpfs(service)}


def _mount(entry: Mapping[str, Any], service: str, volumes: Volumes, location: str) -> ServiceMount | None:
    target, source = _clean(str(entry.get("target", "/"))), str(entry.get("source") or "")
    options = entry.get("volume") or {}
    if entry.get("type") == "bind":
        return ServiceMount("bind", target, source, location)
    if entry.get("type") == "tmpfs":
        return ServiceMount("tmpfs", target, "", location)
    if entry.get("type") != "volume" or options.get("subpath"):
        return None
    is_filled = not options.get("nocopy")
    if not source:
        return ServiceMount("anonymous", target, volumes.anonymous.get((service, target), ""), location, is_filled)
    return ServiceMount("volume", target, volumes.named.get(source, ""), location, is_filled)


def _place(service: str, entry: Mapping[str, Any], written: Iterable[tuple[Any, str]], source: ComposeSource) -> str:
    """The line of the entry with this target; of the whole list when a variable holds the target."""
    target = _clean(str(entry.get("target", "")))
    for value, place in written:
        parts = [str(value.get("target", ""))] if isinstance(value, Mapping) else str(value).split(":")
        if target in map(_clean, parts):
            return place
    return source.place("services", service, "volumes")


def _tmpfs(service: Service) -> Iterator[str]:
    written = service.definition.get("tmpfs") or ()
    for one in [written] if isinstance(written, str) else written:
        yield _clean(str(one).partition(":")[0])


def _clean(path: str) -> str:
    return str(PurePosixPath(path))
