"""Which keys of a Compose service Swarm takes as they are, and why it does not take the others."""

from dataclasses import dataclass

# Docker's schema 3.13 takes these, and Swarm honours them.
_KEPT = """
cap_add cap_drop command configs dns dns_search entrypoint environment extra_hosts healthcheck hostname init isolation
labels logging read_only secrets stdin_open stop_grace_period stop_signal sysctls tty ulimits user working_dir
"""
# Resolved before, or put elsewhere in the file.
_ELSEWHERE = """
build image networks ports volumes tmpfs shm_size deploy scale profiles env_file label_file develop expose attach
provider restart mem_limit mem_reservation cpus pids_limit gpus runtime
"""
KEPT, ELSEWHERE = frozenset(_KEPT.split()), frozenset(_ELSEWHERE.split())
NO_SUCH_SETTING = "Swarm has no such setting"
REASONS = {
    "container_name": "Swarm names the containers: there can be several",
    "depends_on": "Swarm starts all at once: what finds its dependency missing has to try again",
    "devices": "Swarm hands out no devices",
    "links": "services of one network find each other by name",
    "network_mode": "Swarm connects to overlay networks only",
    "privileged": "Swarm starts no privileged containers",
    "pull_policy": "images are named by their digest",
    "security_opt": "a stack file cannot say it",
}
LOOPBACK_PORT = (
    "Swarm publishes on every address of every node: a port of this machine alone is not published; "
    "without 127.0.0.1 it would be"
)
HOST_PORT = "one address for several replicas needs IP_VS: the port is that of the node a replica runs on"
PORT_RANGE = "Swarm publishes single ports: the range is not published"
CODE_MOUNT = "the nodes do not have this folder: what is in the image runs"
FILE_MOUNT = "the nodes do not have this folder, and the image is not built here: `configs:` carries files to them"
OTHER_MOUNT = "has to be on every node that runs the service"
NO_VIRTUAL_IPS = "this kernel has no IP_VS, which virtual addresses need: names lead to each replica in turn"
GPU = "a generic resource: each node says what it has, `node-generic-resources` in its daemon.json (never run)"
JOB = "others wait until it has ended well: it runs to its end once per deploy, again after a failure"
PINNED = "its volume lies on one node: it stays there"
MOVED = "moved to deploy.resources"


@dataclass(frozen=True)
class Change:
    """A key that does not go into the file as Compose has it, and the services that have it."""

    key: str
    reason: str
    services: tuple[str, ...]


class Notes:
    """Collects the changes, each reason once with all its services."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], dict[str, None]] = {}

    def add(self, service: str, key: str, reason: str = "") -> None:
        named = self._found.setdefault((key, reason or REASONS.get(key, NO_SUCH_SETTING)), {})
        named[service] = None

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(Change(key, reason, tuple(services)) for (key, reason), services in sorted(self._found.items()))
