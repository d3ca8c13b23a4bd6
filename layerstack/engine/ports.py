"""What holds a TCP port of this machine: a container, a program, or something unknown."""

import errno
import socket
from dataclasses import dataclass

from layerstack.engine.client import EngineClient
from layerstack.engine.container import PROJECT_LABEL, SERVICE_LABEL
from layerstack.engine.place import WILDCARDS, find_place
from layerstack.project.project import Port

# What holds the ports of containers: of Docker, of Docker without root and nerdctl, of Podman with and without root.
# One that runs without root holds those of all its containers at once.
PROXIES = ("docker-proxy", "rootlesskit", "conmon", "rootlessport", "pasta")


@dataclass(frozen=True)
class Holder:
    """The holder of a port; `project` and `service` are "" unless it is a Compose container."""

    port: int
    name: str
    pid: int = 0
    project: str = ""
    service: str = ""
    is_container: bool = False

    @property
    def words(self) -> str:
        if self.is_container:
            return f"container {self.name}" + (f" of the project {self.project}" if self.project else "")
        return f"{self.name} (process {self.pid})" if self.pid else self.name

    @property
    def remedy(self) -> str:
        """The command that frees the port, "" when unknown."""
        if self.is_container:
            return f"docker compose -p {self.project} stop" if self.project else f"docker stop {self.name}"
        return f"kill {self.pid}" if self.pid else ""


def find_holder(client: EngineClient | None, port: Port) -> Holder | None:
    """The holder of the port at a colliding address; None when it is free.

    `client` is None when no engine responds.
    """
    # The programs of another machine are not to be seen from here, and those of this one hold no port of it.
    if client and find_place().is_remote:
        return find_container(client, port)
    return (find_container(client, port) if client else None) or _find_process(port) or _try_bind(port)


def find_container(client: EngineClient, port: Port) -> Holder | None:
    """The container that publishes a port at a colliding address."""
    for entry in client.api.containers():
        for binding in entry.get("Ports") or ():
            is_tcp = binding.get("Type", "tcp") == "tcp"
            if is_tcp and binding.get("PublicPort") == port.published and _collide(binding.get("IP", ""), port.host_ip):
                labels = entry.get("Labels") or {}
                # The API prefixes every name with a slash.
                name = entry["Names"][0].lstrip("/") if entry.get("Names") else entry["Id"][:12]
                project, service = labels.get(PROJECT_LABEL, ""), labels.get(SERVICE_LABEL, "")
                return Holder(port.published, name, 0, project, service, True)
    return None


def _find_process(port: Port) -> Holder | None:
    import psutil

    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError, NotImplementedError):
        return None  # macOS shows the sockets of other programs to root only
    listening = (one for one in connections if one.status == psutil.CONN_LISTEN and one.laddr)
    for one in listening:
        if one.laddr and one.laddr.port == port.published and _collide(one.laddr.ip, port.host_ip):
            return _holder(port.published, one.pid)
    return None


def _holder(number: int, pid: int | None) -> Holder:
    import psutil

    try:
        name = psutil.Process(pid).name() if pid else "a program of another user"
    except psutil.Error:
        return Holder(number, "a program that just ended")
    # Another engine's, as this one's containers were checked before. Killing the proxy would cut that container off.
    if name in PROXIES:
        return Holder(number, "a container of another engine")
    # The first process holds what it will hand on to a service of the system, and no signal ends it.
    return Holder(number, name, pid if pid and pid != 1 else 0)


def _try_bind(port: Port) -> Holder | None:
    # Last resort where sockets are not listed: macOS, or the Windows side of WSL.
    ip = "0.0.0.0" if port.host_ip in WILDCARDS else port.host_ip
    try:
        with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET) as probe:
            # Otherwise connections that have just ended would hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((ip, port.published))
    # Also of a machine without IPv6.
    except OSError as error:
        return Holder(port.published, "another program") if error.errno == errno.EADDRINUSE else None
    return None


def _collide(address: str, other: str) -> bool:
    # A program such as Java's listens on IPv4 by a socket of IPv6: `::ffff:127.0.0.1`.
    address = address.removeprefix("::ffff:")
    return address == other or address in WILDCARDS or other in WILDCARDS
