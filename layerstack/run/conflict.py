"""Conflicts on this engine that block a start: ports, names, orphans of the project."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from layerstack.engine.client import EngineClient
from layerstack.engine.container import PROJECT_LABEL, Container, from_inspect
from layerstack.engine.place import WILDCARDS
from layerstack.engine.ports import Holder
from layerstack.errors import NotInEngine
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
    def change(self) -> str:
        return f"choose another port: {' or '.join(self.sources)}"


def find_shared_ports(project: Project) -> Iterator[SharedPort]:
    """Ports that more than one container of the project would publish, each once."""
    wanted: dict[int, list[tuple[Service, Port]]] = defaultdict(list)
    for service in project.services.values():
        for port in service.ports:
            # Every replica would publish the port.
            wanted[port.published] += [(service, port)] * service.replicas
    for uses in wanted.values():
        (first, one), *others = uses
        for second, other in others[:1]:
            # The same port on two different addresses is no conflict.
            if other.host_ip == one.host_ip or WILDCARDS[0] in (_open(one), _open(other)):
                sources = dict.fromkeys(source_of(project, user, port) for user, port in uses)
                yield SharedPort(other, first.name, second.name, tuple(sources))


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
    try:
        one = from_inspect(client.api.inspect_container(name))
    except NotInEngine:
        return None
    owner = (one.labels or {}).get(PROJECT_LABEL, "")
    # The engine also accepts the beginning of an id: the name itself may be free.
    if one.name != name or (owner == project.name and one.service == service.name):
        return None
    if owner == project.name:
        return NameHolder(name, f"a container of this project ({_service_words(project, one.service)})", True)
    whose = f"of the project {owner} (service {one.service})" if owner else f"that Compose did not make ({one.image})"
    return NameHolder(name, f"a container {whose}")


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
