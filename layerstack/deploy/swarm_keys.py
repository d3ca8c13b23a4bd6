"""Which keys of a Compose service Swarm accepts as they are, and why not the others."""

from dataclasses import dataclass

# In Docker's schema 3.13, and honoured by Swarm.
_KEPT = """
cap_add cap_drop command configs dns dns_search entrypoint environment extra_hosts healthcheck hostname init isolation
labels logging read_only secrets stdin_open stop_grace_period stop_signal sysctls tty ulimits user working_dir
"""
# Already resolved, or written elsewhere in the file.
_ELSEWHERE = """
build image networks ports volumes tmpfs shm_size deploy scale profiles env_file label_file develop expose attach
provider restart mem_limit mem_reservation cpus pids_limit gpus runtime
"""
KEPT, ELSEWHERE = frozenset(_KEPT.split()), frozenset(_ELSEWHERE.split())
NO_SUCH_SETTING = "Swarm has no such setting"
REASONS = {
    "container_name": "Swarm names the containers: there can be several",
    "depends_on": "Swarm starts all services at once: one whose dependency is missing must retry",
    "devices": "Swarm does not pass on devices",
    "links": "services on one network reach each other by name",
    "network_mode": "Swarm connects to overlay networks only",
    "privileged": "Swarm starts no privileged containers",
    "pull_policy": "images are named by their digest",
    "security_opt": "stack files do not have it",
}
LOOPBACK_PORT = (
    "Swarm publishes on every address of every node, so a port for this machine alone is not published; "
    "without 127.0.0.1 it would be"
)
HOST_PORT = "a port shared by replicas needs IP_VS: it is published on the nodes that run one"
PORT_RANGE = "Swarm publishes single ports only: the range is not published"
CODE_MOUNT = "the nodes do not have this folder: the code in the image runs"
FILE_MOUNT = "the nodes do not have this folder, and the image is not built here: use `configs:` for its files"
OTHER_MOUNT = "must exist on every node that runs the service"
NO_VIRTUAL_IPS = "this kernel lacks IP_VS, which virtual addresses need: names resolve to each replica in turn"
GPU = "a generic resource, declared by each node as `node-generic-resources` in its daemon.json (never tested)"
JOB = "others wait for its success: it runs once per deploy, and again after a failure"
PINNED = "its volume is on one node: it stays there"
MOVED = "moved to deploy.resources"


@dataclass(frozen=True)
class Change:
    """A key that is not in the stack file as in the Compose file, and the services that have it."""

    key: str
    reason: str
    services: tuple[str, ...]


class Notes:
    """Collects the changes: each reason once, with all its services."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], dict[str, None]] = {}

    def add(self, service: str, key: str, reason: str = "") -> None:
        named = self._found.setdefault((key, reason or REASONS.get(key, NO_SUCH_SETTING)), {})
        named[service] = None

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(Change(key, reason, tuple(services)) for (key, reason), services in sorted(self._found.items()))
