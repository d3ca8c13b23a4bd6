"""Conflicts on this engine that block a start: ports, names, orphans of the project."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.engine.container import PROJECT_LABEL, SERVICE_LABEL, Container
from layerstack.engine.place import WILDCARDS
from layerstack.engine.ports import Holder
from layerstack.project.declaration import source_of
from layerstack.project.project import Port, Project, Service

KEY = "container_name"


def service_of(project: Project, container_name: str) -> str:
    """The service whose container Compose would call that; "" for none.

    With its number at the end: `shop-db-admin-1` is of `db-admin`, whatever else begins with `db`.
    """
    named = {str(service.definition.get(KEY)): name for name, service in project.services.items()}
    numbered = re.fullmatch(rf"{re.escape(project.name)}[-_](?P<service>.+)[-_]\d+", container_name)
    service = numbered["service"] if numbered else ""
    return named.get(container_name) or (service if service in project.services else "")


@dataclass(frozen=True)
class NameHolder:
    """The container that has the name which a service asks for; `words` say whose it is."""

    name: str
    words: str
    is_own: bool = False

    @property
    def remedy(self) -> str:
        """What frees the name; a container of somebody else is kept, with what it holds."""
        return f"docker rm -f {self.name}" if self.is_own else f"docker rename {self.name} {self.name}-before"

    @property
    def for_good(self) -> str:
        """The other way, where the remedy keeps the container."""
        return "" if self.is_own else f" keeps it (`docker rm -f {self.name}` does not)"


@dataclass(frozen=True)
class SharedPort:
    """One port that two services of the project publish, or several containers of one: `first` and `second` are equal.

    `sources` are the places where another port is chosen.
    """

    port: Port
    first: str
    second: str
    sources: tuple[str, ...]

    @property
    def words(self) -> str:
        if self.first == self.second:
            return f"several containers of {self.first} publish {self.port.published}"
        return f"{self.first} and {self.second} both publish {self.port.published}"

    @property
    def where(self) -> str:
        return " or ".join(dict.fromkeys(self.sources))

    @property
    def change(self) -> str:
        if self.first == self.second:
            # Whatever one port it is, only one of the containers can have it.
            return f"publish the container's port alone, so that each gets a port of its own, or run one: {self.where}"
        return f"choose another port: {self.where}"


def find_shared_ports(project: Project, services: Iterable[str] | None = None) -> Iterator[SharedPort]:
    """Ports that more than one container of these services, of all without names, would publish, each once."""
    wanted: dict[int, list[tuple[Service, Port]]] = defaultdict(list)
    for name in project.services if services is None else services:
        service = project.services[name]
        for port in service.ports:
            # Every replica would publish the port.
            wanted[port.published] += [(service, port)] * service.replicas
    for uses in wanted.values():
        pairs = combinations(uses, 2)
        found = next((pair for pair in pairs if _collide(*(port for _, port in pair))), None)
        if found:
            (first, _), (second, port) = found
            sources = dict.fromkeys(source_of(project, user, port) for user, port in uses)
            yield SharedPort(port, first.name, second.name, tuple(sources))


def _collide(one: Port, other: Port) -> bool:
    # The same port on two different addresses is no conflict.
    return other.host_ip == one.host_ip or WILDCARDS[0] in (_open(one), _open(other))


def _open(port: Port) -> str:
    # "Every address" can be written in several ways.
    return WILDCARDS[0] if port.host_ip in WILDCARDS else port.host_ip


def find_orphans(project: Project, found: Mapping[str, tuple[Container, ...]]) -> tuple[Container, ...]:
    """Containers whose service is in none of the project's Compose files, whatever the profile."""
    return tuple(one for name, containers in found.items() if not _is_known(project, name) for one in containers)


def is_own(project: Project, holder: Holder) -> bool:
    """Whether a service that the project starts holds the port."""
    return holder.project == project.name and holder.service in project.services


def holder_words(project: Project, holder: Holder) -> str:
    """The holder of a port, with the service if it is an orphan."""
    if holder.project != project.name or is_own(project, holder):
        return holder.words
    return f"container {holder.name} ({_service_words(project, holder.service)})"


def freeing(project: Project, holder: Holder) -> str:
    """The command that frees a port, "" for none: ending the project would end wanted services, too."""
    return f"docker rm -f {holder.name}" if holder.project == project.name else holder.remedy


def find_name_holder(client: EngineClient, project: Project, service: Service) -> NameHolder | None:
    """The container with the `container_name` of a service; None for none or its own. Raises EngineError."""
    name = service.definition.get(KEY)
    if not name:
        return None
    # Not by `inspect`, which takes `db` for the beginning of an id, and refuses it where two begin with it.
    listed = client.api.containers(all=True, filters={"name": f"^/?{re.escape(name)}$"})
    one = next((one for one in listed if name in _names(one)), None)
    if one is None:
        return None
    labels = one.get("Labels") or {}
    owner, user = labels.get(PROJECT_LABEL, ""), labels.get(SERVICE_LABEL, "")
    if owner == project.name and user == service.name:
        return None
    if owner == project.name:
        return NameHolder(name, f"a container of this project ({_service_words(project, user)})", True)
    whose = f"of the project {owner} (service {user})" if owner else f"that Compose did not make ({one.get('Image')})"
    return NameHolder(name, f"a container {whose}")


def _names(listed: Mapping[str, Any]) -> list[str]:
    # The API prefixes every name with a slash.
    return [name.lstrip("/") for name in listed.get("Names") or ()]


def orphan_words(project: Project, container: Container) -> str:
    """`container shop-old-1 (service old, in no Compose file of this project)`."""
    return f"container {container.name} ({_service_words(project, container.service)})"


def _is_known(project: Project, service: str) -> bool:
    return service in project.services or service in project.inactive


def _service_words(project: Project, service: str) -> str:
    if service in project.inactive:
        return f"service {service}, its profile is not active"
    if service in project.services:
        return f"service {service}"
    return f"service {service}, in no Compose file of this project"
