"""Who holds a TCP port of this machine: a container, a program, or somebody unknown."""

import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerstack.engine.container import PROJECT_LABEL, SERVICE_LABEL
from layerstack.project.project import Port

if TYPE_CHECKING:
    from docker import DockerClient

LISTENING = "0A"
WILDCARDS = ("", "0.0.0.0", "::", "*")


@dataclass(frozen=True)
class Holder:
    """Who listens on a port; `project` and `service` are "" unless it is a container of Compose."""

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
        """The command that frees the port, "" when nobody can tell."""
        if self.is_container:
            return f"docker compose -p {self.project} down" if self.project else f"docker stop {self.name}"
        return f"kill {self.pid}" if self.pid else ""


def find_holder(client: "DockerClient | None", port: Port) -> Holder | None:
    """Who holds the port at an address that collides with this one; None when it is free.

    `client` is a Docker client, or None when no engine answers.
    """
    return (find_container(client, port) if client else None) or _find_process(port) or _try_bind(port)


def find_container(client: "DockerClient", port: Port) -> Holder | None:
    """The container that publishes a port at a colliding address."""
    for entry in client.api.containers():
        for binding in entry.get("Ports") or ():
            if binding.get("PublicPort") == port.published and _collide(binding.get("IP", ""), port.host_ip):
                labels = entry.get("Labels") or {}
                name = entry["Names"][0].lstrip("/") if entry.get("Names") else entry["Id"][:12]
                project, service = labels.get(PROJECT_LABEL, ""), labels.get(SERVICE_LABEL, "")
                return Holder(port.published, name, 0, project, service, True)
    return None


def _find_process(port: Port) -> Holder | None:
    sockets = {inode for ip, number, inode in listeners() if number == port.published and _collide(ip, port.host_ip)}
    if not sockets:
        return None
    pid, name = next(_owners(sockets), (0, "a program of another user"))
    return Holder(port.published, name, pid)


def listeners(proc: Path = Path("/proc")) -> Iterator[tuple[str, int, str]]:
    """(address, port, socket inode) of everything that listens on TCP here; nothing where there is no /proc."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == LISTENING:
                address, _, number = fields[1].partition(":")
                yield parse_address(address), int(number, 16), fields[9]


def parse_address(text: str) -> str:
    """An address as /proc/net writes it: `0100007F` → `127.0.0.1`."""
    # The kernel prints an address as 32-bit words in the machine's byte order.
    words = bytes.fromhex(text)
    family = socket.AF_INET if len(words) == 4 else socket.AF_INET6
    data = b"".join(words[start : start + 4][::-1] for start in range(0, len(words), 4))
    return socket.inet_ntop(family, data)


def _owners(inodes: set[str], proc: Path = Path("/proc")) -> Iterator[tuple[int, str]]:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if any(str(link.readlink()) in wanted for link in (folder / "fd").iterdir()):
                yield int(folder.name), (folder / "comm").read_text().strip()
        except OSError:
            continue


def _try_bind(port: Port) -> Holder | None:
    # The last resort where /proc shows nothing: macOS, or the Windows side of WSL.
    ip = "0.0.0.0" if port.host_ip in WILDCARDS else port.host_ip
    with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port.published))
        except OSError as error:
            return Holder(port.published, "another program") if error.errno == errno.EADDRINUSE else None
    return None


def _collide(one: str, other: str) -> bool:
    return one == other or one in WILDCARDS or other in WILDCARDS
