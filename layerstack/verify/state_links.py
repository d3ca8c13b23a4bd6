"""The links of every container, in the order in which they break: image, container, network, running, health, port."""

import re
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from layerstack.engine import images
from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_volume_age
from layerstack.engine.place import EnginePlace
from layerstack.errors import CheckFailed
from layerstack.moment import epoch_seconds
from layerstack.project.project import Port, Service
from layerstack.run.health import Verdict
from layerstack.verify.checks import CheckResult, Link, timed
from layerstack.verify.http_check import NOT_CHECKED
from layerstack.verify.listening import read_listeners
from layerstack.wording import duration

CONNECT_SECONDS = 3.0
HEALTH_CHECK = "health check"
CLOSED = "nothing that can be reached listens"
# Long enough for a proxy of this machine to find nobody behind it.
DROP_SECONDS = 0.1
# Programs take their time, and databases make their data on loopback first.
OPENING_SECONDS = 60.0
# Compose makes the volumes first, then the containers.
SAME_START_SECONDS = 10.0
NUMBER = re.compile(r"\d+")
NO_NETWORK_MODES = ("none", "host")


def image_link(client: EngineClient, reference: str, containers: Sequence[Container]) -> CheckResult:
    """Whether the service's image is here. A container keeps its image when only the tag is gone."""
    if not images.is_stored(client, reference):
        # The engine runs a container by the id of its image, whatever became of the name.
        if not any(one.is_running for one in containers):
            return _link("image", False, f"there is no image {reference} on this engine")
        return _link("image", True, f"{reference} is gone, its container runs on")
    return _link("image", True, reference)


def container_link(service: Service, containers: Sequence[Container]) -> CheckResult:
    """Whether there are as many containers as declared."""
    wanted = service.replicas
    if not containers:
        return _link("container", False, "has no container")
    names = ", ".join(one.name for one in containers)
    if len(containers) < wanted:
        return _link("container", False, f"{len(containers)} of {wanted} containers: {names}")
    return _link("container", True, names)


def links_of(
    client: EngineClient, container: Container, service: Service, verdict: Verdict, engine_place: EnginePlace
) -> list[CheckResult]:
    """Network, running, health and ports of one container; after the first broken one the rest is not checked."""
    links: list[CheckResult] = []
    for link in _links(client, container, service, verdict, engine_place):
        links.append(link)
        if not link.is_ok and link.link in ("network", "running"):
            break
    return links


def declared_networks(service: Service) -> tuple[str, ...]:
    """The networks of the Compose file that the service is on."""
    return tuple(service.definition.get("networks") or ())


def _links(
    client: EngineClient, container: Container, service: Service, verdict: Verdict, engine_place: EnginePlace
) -> Iterator[CheckResult]:
    yield running_link(container, verdict)
    if declared_networks(service) and container.network_mode not in NO_NETWORK_MODES:
        yield _network_link(container, service)
    if container.is_running and container.health:
        yield _health_link(container, verdict)
    if container.is_running:
        yield from _port_links(client, container, service, engine_place)


def running_link(container: Container, verdict: Verdict) -> CheckResult:
    """Whether it runs, or is a job that has succeeded."""
    if verdict.words == "finished":
        return _link("running", True, "finished")
    if verdict.phase == "failed" and verdict.words != "unhealthy":
        return _link("running", False, verdict.reason)
    if not container.is_running:
        return _link("running", False, f"is not ready yet: {verdict.words}")
    return _link("running", True, f"up {duration(container.uptime_seconds)}")


def _network_link(container: Container, service: Service) -> CheckResult:
    declared = declared_networks(service)
    if len(container.networks) >= len(declared) or not container.is_running:
        return _link("network", True, ", ".join(container.networks) or "not connected while it does not run")
    # Which one is missing is told by the real names, which only Compose knows (see Lookout).
    return _link("network", False, f"is connected to {len(container.networks)} of {len(declared)} networks")


def _health_link(container: Container, verdict: Verdict) -> CheckResult:
    if verdict.phase == "failed":
        return _link("health", False, verdict.reason)
    if verdict.phase == "waiting":
        words = f"is not ready yet: {verdict.words}, up {duration(container.uptime_seconds)}"
        return _link("health", False, words)
    return _link("health", True, "healthy")


def _port_links(
    client: EngineClient, container: Container, service: Service, engine_place: EnginePlace
) -> Iterable[CheckResult]:
    published = {port.target for port in container.ports}
    for port in service.ports:
        if port.target not in published:
            yield _link("port", False, f"{port.address} is not published by the container", f"port {port.target}")
    for port in container.ports:
        yield replace(
            timed(f"port {port.target}", CONNECT_SECONDS, partial(_connect, client, container, port, engine_place)),
            link="port",
        )


def _connect(client: EngineClient, container: Container, port: Port, engine_place: EnginePlace) -> str:
    address = engine_place.address(port)
    if not address:
        return (
            f"{NOT_CHECKED}: published on {port.host_ip}:{port.published} of {engine_place.host}, not reached from here"
        )
    host, _, number = address.rpartition(":")
    try:
        # An address of IPv6 stands in brackets, which are no part of it.
        with socket.create_connection((host.strip("[]"), int(number)), CONNECT_SECONDS) as link:
            is_dropped = _is_dropped(link)
    except OSError as error:
        raise CheckFailed(f"{address} refuses connections: {error.strerror or error}") from error
    # Docker's proxy takes them for every published port. Many programs end one that says nothing, too.
    served = _served_ports(client, container) if is_dropped else None
    if served is None or port.target in served:
        return f"{address} accepts connections"
    closed = f"{address} is published, and {CLOSED} on port {port.target}"
    if served or _may_open(client, container, port):  # one of several, as for a debugger that is off; or not yet
        return f"{NOT_CHECKED}: {closed} now"
    raise CheckFailed(closed)


def _may_open(client: EngineClient, container: Container, port: Port) -> bool:
    """Whether a program may still be on its way to this port: its age, and where it listens so far, tell."""
    if container.health == "starting":  # its own check has the word
        return True
    if container.uptime_seconds >= OPENING_SECONDS:
        return False
    listening = read_listeners(client, container) or ()
    if any(found.port == port.target for found in listening):
        return _may_make_data(client, container)
    # A health check that passes at another port says that the program is up, and is not here.
    asked = set(NUMBER.findall(" ".join(container.health_command))) if container.health == "healthy" else set()
    return not any(str(found.port) in asked for found in listening)


def is_first_start(client: EngineClient, container: Container) -> bool:
    """Whether none of its volumes is older than the container."""
    volumes = (mount.source for mount in container.mounts if mount.kind == "volume" and mount.is_writable)
    made = (read_volume_age(client, name) for name in volumes)
    return all(moment >= epoch_seconds(container.created_at) - SAME_START_SECONDS for moment in made)


def _may_make_data(client: EngineClient, container: Container) -> bool:
    """A database fills an empty folder while it listens on loopback, and its own health check may pass then."""
    folders = (mount for mount in container.mounts if mount.is_writable and mount.kind in ("volume", "bind"))
    # A folder that the program starts in holds its code.
    is_storing = any(not f"{container.folder}/".startswith(f"{mount.target}/") for mount in folders)
    return is_storing and is_first_start(client, container)


def _is_dropped(link: socket.socket) -> bool:
    link.settimeout(DROP_SECONDS)
    try:
        return not link.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True


def _served_ports(client: EngineClient, container: Container) -> set[int] | None:
    """The published ports on which something listens for others; None when that is unknown."""
    listening = read_listeners(client, container)
    if listening is None:
        return None
    # Docker forwards to the container's address on its network, where a listener on loopback hears nothing.
    return {port.target for port in container.ports} & {found.port for found in listening if not found.is_loopback}


def _link(link: Link, is_ok: bool, detail: str, name: str = "") -> CheckResult:
    return CheckResult(name or (HEALTH_CHECK if link == "health" else link), is_ok, 0.0, detail, link)
