"""The addresses on which the programs in a container listen."""

import socket
from dataclasses import dataclass

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.engine.inside import run_inside
from layerstack.errors import EngineError

# The state of a listening socket in /proc/net/tcp.
LISTENING = "0A"
LOOK_SECONDS = 10.0


@dataclass(frozen=True)
class Listener:
    """One listening TCP socket."""

    ip: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.ip

    @property
    def is_loopback(self) -> bool:
        return self.ip.startswith("127.") or self.ip == "::1"


def read_listeners(client: EngineClient, container: Container) -> tuple[Listener, ...] | None:
    """The listening sockets of a running container, without Docker's name server; None when they cannot be read."""
    # Most images have no `ss` or `netstat`.
    argv = ("cat", "/proc/net/tcp", "/proc/net/tcp6")
    try:
        answer = run_inside(client, container.id, argv, LOOK_SECONDS) if container.is_running else None
    except (EngineError, OSError):
        return None
    # cat ends with 1 when IPv6 is off and its table is missing; the other one is there then.
    if answer is None or "local_address" not in answer.output:
        return None
    found = [_listener(line.split()) for line in answer.output.splitlines()]
    return tuple(one for one in found if one and one.ip != "127.0.0.11")


def _listener(fields: list[str]) -> Listener | None:
    if len(fields) < 4 or fields[3] != LISTENING:
        return None
    address, _, port = fields[1].partition(":")
    return Listener(parse_address(address), int(port, 16))


def parse_address(text: str) -> str:
    """An address as /proc/net writes it: `0100007F` → `127.0.0.1`."""
    # The kernel prints an address as 32-bit words in the machine's byte order.
    words = bytes.fromhex(text)
    family = socket.AF_INET if len(words) == 4 else socket.AF_INET6
    data = b"".join(words[start : start + 4][::-1] for start in range(0, len(words), 4))
    return socket.inet_ntop(family, data)
