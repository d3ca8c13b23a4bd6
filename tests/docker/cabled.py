"""Several machines: engines in networks of their own, cabled to one switch, on which a registry answers.

The switch is a network namespace with nothing but a bridge: no address and no firewall of this machine is touched.
"""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from own_engine import OwnEngine, own_engine
from own_registry import OwnRegistry, inside, own_registry

from layerstack import command
from layerstack.wait import wait_until

NETWORK = "172.35.0"
PORT = 5000
# A stack's networks are made by Swarm, which leaves these to its engines; the machine's own are others.
POOL = "10.91.0.0/16"
WITHOUT_TLS = ("--insecure-registry", f"{NETWORK}.0/24")


@dataclass
class Node:
    """An engine, its address, and the end of its cable at the switch."""

    engine: OwnEngine
    number: int
    switch: int

    @property
    def address(self) -> str:
        return f"{NETWORK}.{10 + self.number}"

    def docker(self, *words: str) -> str:
        return command.run(("docker", *words), env={"DOCKER_HOST": self.engine.host}).require().stdout.strip()

    def plug(self) -> None:
        """A cable from the switch to this engine's network."""
        end, there = f"port{self.number}", str(self.engine.process_id)
        ip(self.switch, f"link add {end} type veth peer name cable netns {there}")
        ip(self.switch, f"link set {end} master bridge up")
        ip(self.engine.process_id, f"address add {self.address}/24 dev cable")
        for one in ("cable", "lo"):
            ip(self.engine.process_id, f"link set {one} up")

    def pull_cable(self) -> None:
        ip(self.switch, f"link set port{self.number} down")

    def put_cable_back(self) -> None:
        ip(self.switch, f"link set port{self.number} up")


@dataclass
class Machines:
    """The nodes, and the registry that all of them reach under one address.

    A process in the network of `switch` reaches all of it, as one more machine would.
    """

    registry: OwnRegistry
    switch: int
    nodes: list[Node] = field(default_factory=list)

    def make_swarm(self) -> None:
        """All of them managers: with two of three a swarm still decides."""
        first, *others = self.nodes
        listen = ("--advertise-addr", first.address, "--default-addr-pool", POOL)
        first.docker("swarm", "init", *listen)
        token = first.docker("swarm", "join-token", "--quiet", "manager")
        for node in others:
            node.docker("swarm", "join", "--advertise-addr", node.address, "--token", token, f"{first.address}:2377")


def ip(namespace_pid: int, words: str) -> None:
    command.run([*inside(namespace_pid), "ip", *words.split()]).require()


@contextlib.contextmanager
def machines(folder: Path, *options: Sequence[str], http: str = "") -> Iterator[Machines]:
    """Started and cabled, and gone afterwards with all they hold: an engine for each `options`, its words for dockerd.

    `http` is more of the registry's `http:` configuration.
    """
    with contextlib.ExitStack() as stack:
        switch = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        stack.callback(switch.wait)
        stack.callback(switch.kill)
        _wait_for_namespace(switch.pid)
        ip(switch.pid, "link add bridge type bridge")
        ip(switch.pid, f"address add {NETWORK}.1/24 dev bridge")
        for one in ("bridge", "lo"):
            ip(switch.pid, f"link set {one} up")
        registry = stack.enter_context(
            own_registry(folder / "images", PORT, switch.pid, host=f"{NETWORK}.1", http=http)
        )
        made = Machines(registry, switch.pid)
        for number, words in enumerate(options, start=1):
            engine = stack.enter_context(own_engine(options=words))
            made.nodes.append(Node(engine, number, switch.pid))
            made.nodes[-1].plug()
        yield made


def _wait_for_namespace(pid: int) -> None:
    # `unshare` needs a moment before its process is elsewhere.
    own = Path("/proc/self/ns/net").readlink()
    assert wait_until(lambda: Path(f"/proc/{pid}/ns/net").readlink() != own, 5.0, 0.02)
