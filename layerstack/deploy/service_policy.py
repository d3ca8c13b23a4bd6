"""The `deploy:` section of a service for Swarm: replicas, resources, update policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from layerstack.deploy import swarm_keys
from layerstack.deploy.compose_document import is_declared_job
from layerstack.deploy.swarm_keys import Notes
from layerstack.project.gpu_request import requests_of

GPU_KIND = "NVIDIA-GPU"
_DECLARED = ("mode", "labels", "restart_policy", "placement", "endpoint_mode")
_LIMITS = {"mem_limit": ("limits", "memory"), "cpus": ("limits", "cpus"), "pids_limit": ("limits", "pids")}
_MOVED = {**_LIMITS, "mem_reservation": ("reservations", "memory")}


@dataclass(frozen=True)
class Facts:
    """What the swarm can do; `nodes` maps services that keep data to the node that holds it."""

    has_virtual_ips: bool = True
    nodes: Mapping[str, str] = field(default_factory=dict)


def make_policy(name: str, service: Mapping[str, Any], facts: Facts, notes: Notes, is_job: bool) -> dict[str, Any]:
    """The declared policy; where none is declared, a failed update is rolled back."""
    declared = service.get("deploy") or {}
    made = {key: declared[key] for key in _DECLARED if declared.get(key)}
    replicas = declared.get("replicas", service.get("scale"))
    # A global service or job runs once on each node and may have no number.
    if replicas is not None and not str(made.get("mode") or "").startswith("global"):
        made["replicas"] = int(replicas)
    made["resources"] = _resources(name, service, notes)
    if not facts.has_virtual_ips and "endpoint_mode" not in made:
        notes.add(name, "deploy.endpoint_mode: dnsrr", swarm_keys.NO_VIRTUAL_IPS)
        made["endpoint_mode"] = "dnsrr"
    if is_job:
        # Docker refuses a policy for updates of a job, and restarts after a success.
        if not is_declared_job(service):
            notes.add(name, "deploy.mode: replicated-job", swarm_keys.JOB)
            made["mode"] = "replicated-job"
        if (made.get("restart_policy") or {}).get("condition") not in ("on-failure", "none"):
            made["restart_policy"] = {"condition": "on-failure", "delay": "5s"}
    else:
        made.setdefault("restart_policy", _restart(name, service, notes))
        # Old and new replica at once would write to one volume, or need the same port of their node.
        order = "stop-first" if keeps_data(service) or _has_host_ports(service, facts) else "start-first"
        defaults = {"order": order, "failure_action": "rollback"}
        made["update_config"] = {**defaults, **(declared.get("update_config") or {})}
        made["rollback_config"] = {"order": order, **(declared.get("rollback_config") or {})}
    if name in facts.nodes and "placement" not in made:
        notes.add(name, "deploy.placement", swarm_keys.PINNED)
        made["placement"] = {"constraints": [f"node.id == {facts.nodes[name]}"]}
    return {key: value for key, value in made.items() if value != {}}


def keeps_data(service: Mapping[str, Any]) -> bool:
    """Whether it writes to a volume, so that two at once would write to the same files."""
    mounts = service.get("volumes") or ()
    return any(mount["type"] == "volume" and not mount.get("read_only") for mount in mounts)


def cards_wanted(service: Mapping[str, Any]) -> int:
    """The number of GPUs; a request for all counts as one."""
    return sum(max(request.count, len(request.device_ids), 1) for request in requests_of(service))


def _has_host_ports(service: Mapping[str, Any], facts: Facts) -> bool:
    """Whether it binds ports of its node, which a second replica there could not bind."""
    ports = [port for port in service.get("ports") or () if not str(port.get("host_ip") or "").startswith("127.")]
    # Without virtual addresses the stack file publishes all ports on the node.
    return any(not facts.has_virtual_ips or port.get("mode") == "host" for port in ports)


def _resources(name: str, service: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    declared = (service.get("deploy") or {}).get("resources") or {}
    made: dict[str, dict[str, Any]] = {key: dict(declared.get(key) or {}) for key in ("limits", "reservations")}
    # Swarm does not pass on devices: cards become a generic resource below.
    made["reservations"].pop("devices", None)
    for key, (part, word) in _MOVED.items():
        if service.get(key):
            notes.add(name, key, swarm_keys.MOVED)
            made[part].setdefault(word, service[key])
    if cards := cards_wanted(service):
        notes.add(name, "deploy.resources.reservations.devices", swarm_keys.GPU)
        resource = {"discrete_resource_spec": {"kind": GPU_KIND, "value": cards}}
        made["reservations"]["generic_resources"] = [resource]
    for values in made.values():
        # Docker's schema takes text here, and Compose prints numbers.
        values.update({key: str(values[key]) for key in ("cpus", "memory") if key in values})
    return {key: value for key, value in made.items() if value}


def _restart(name: str, service: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """`restart:` as a restart policy; without one Swarm restarts whatever ends."""
    if not (restart := str(service.get("restart") or "")):
        return {}
    notes.add(name, "restart", "moved to deploy.restart_policy")
    kind, _, attempts = restart.partition(":")
    condition = {"no": "none", "on-failure": "on-failure"}.get(kind, "any")
    return {"condition": condition, **({"max_attempts": int(attempts)} if attempts else {})}
