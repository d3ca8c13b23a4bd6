"""A stack file for Swarm from what Compose resolved, and every key that Swarm drops, refuses or moves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerstack.deploy import swarm_keys
from layerstack.deploy.compose_document import bytes_of, finished_services, memory_mounts, yaml_text
from layerstack.deploy.service_policy import Facts, make_policy
from layerstack.deploy.swarm_keys import Change, Notes
from layerstack.engine.place import WILDCARDS
from layerstack.errors import UsageError
from layerstack.run.unmounted import is_own_mount

# The newest schema of `docker stack`, and the first that has every key written here.
VERSION = "3.13"
SHARED_MEMORY = "/dev/shm"
# Not `environment` and `content`, which Compose has as well: `docker stack deploy` takes neither.
_FILE = ("file", "external", "labels")
# Kind of top-level entry → its keys that a stack file may have.
_PARTS = {
    "networks": ("driver_opts", "internal", "attachable", "labels", "external"),
    "volumes": ("driver", "driver_opts", "labels", "external"),
    "secrets": _FILE,
    "configs": _FILE,
}


@dataclass(frozen=True)
class StackFile:
    """`document` is what `docker stack deploy` reads; `jobs` are the services that run to their end."""

    document: Mapping[str, Any]
    changes: tuple[Change, ...]
    jobs: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        return yaml_text(self.document)


@dataclass
class _Maker:
    """Makes the services of one document; `images` are the references by service, `root` is the project's folder."""

    root: Path
    images: Mapping[str, str]
    facts: Facts
    notes: Notes = field(default_factory=Notes)

    def service(self, name: str, service: Mapping[str, Any], is_job: bool) -> dict[str, Any]:
        for key in service:
            # Compose prints keys that nobody declared, with empty values: these are no change.
            if key not in swarm_keys.KEPT | swarm_keys.ELSEWHERE and not key.startswith("x-") and service[key]:
                self.notes.add(name, key)
        ports, volumes = (
            list(self._ports(name, service)),
            [*self._volumes(name, service), *self._memory_mounts(name, service)],
        )
        made = {
            "image": self.images[name],
            **{key: service[key] for key in sorted(swarm_keys.KEPT) if service.get(key) not in (None, [], {})},
            "networks": {key: _only(value, ("aliases",)) for key, value in (service.get("networks") or {}).items()},
            "ports": ports,
            "volumes": volumes,
            "deploy": make_policy(name, service, self.facts, self.notes, is_job),
        }
        for key in ("secrets", "configs"):
            if key in made:
                made[key] = [_with_number(use) for use in made[key]]
        return {key: value for key, value in made.items() if value not in ([], {})}

    def _ports(self, name: str, service: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for port in service.get("ports") or ():
            host, published = port.get("host_ip") or "", str(port.get("published") or "")
            if host.startswith("127.") or host == "::1":
                self.notes.add(name, f"ports: {host}", swarm_keys.LOOPBACK_PORT)
            elif published and not published.isdigit():
                self.notes.add(name, f"ports: {published}", swarm_keys.PORT_RANGE)
            else:
                if host not in WILDCARDS:
                    self.notes.add(name, f"ports: {host}", "Swarm publishes on every address of every node")
                if not self.facts.has_virtual_ips:
                    self.notes.add(name, "ports", swarm_keys.HOST_PORT)
                mode = port.get("mode", "ingress") if self.facts.has_virtual_ips else "host"
                made = {"target": int(port["target"]), "protocol": port.get("protocol", "tcp"), "mode": mode}
                yield {**made, **({"published": int(published)} if published else {})}

    def _volumes(self, name: str, service: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for mount in service.get("volumes") or ():
            kind = mount["type"]
            if is_own_mount(self.root, mount):
                reason = swarm_keys.CODE_MOUNT if "build" in service else swarm_keys.FILE_MOUNT
                self.notes.add(name, "volumes: bind", reason)
                continue
            if kind == "bind":
                self.notes.add(name, f"volumes: {mount['source']}", swarm_keys.OTHER_MOUNT)
            if folder := (mount.get("volume") or {}).get("subpath"):
                # Left out, the service would work on the root of the volume.
                msg = f"{name} takes {folder} of a volume, and `docker stack deploy` mounts whole volumes only."
                raise UsageError(msg, f"Give {name} a volume of its own, and remove `subpath`.")
            made = _only(mount, ("type", "source", "target", "read_only"))
            options = {key: _only(mount.get(key), ("nocopy", "propagation")) for key in ("volume", "bind")}
            made |= {key: part for key, part in options.items() if part}
            if kind == "tmpfs" and (size := (mount.get("tmpfs") or {}).get("size")):
                made["tmpfs"] = {"size": bytes_of(size)}
            yield made

    def _memory_mounts(self, name: str, service: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """`tmpfs:` and `shm_size:` as mounts: Swarm has neither key."""
        for target, most in memory_mounts(service):
            yield {"type": "tmpfs", "target": target, **({"tmpfs": {"size": most}} if most else {})}
        if size := service.get("shm_size"):
            self.notes.add(name, "shm_size", f"a tmpfs of that size on {SHARED_MEMORY}")
            yield {"type": "tmpfs", "target": SHARED_MEMORY, "tmpfs": {"size": bytes_of(size)}}


def make_stack_file(root: Path, document: Mapping[str, Any], images: Mapping[str, str], facts: Facts) -> StackFile:
    """`document` is what Compose resolved, dollars doubled. Raises UsageError for what a stack file cannot express."""
    maker = _Maker(root, images, facts)
    jobs = finished_services(document)
    services = {name: maker.service(name, document["services"][name], name in jobs) for name in images}
    made = {
        "version": VERSION,
        "services": services,
        **{kind: _entries(document, kind) for kind in _PARTS},
    }
    return StackFile({key: value for key, value in made.items() if value != {}}, maker.notes.changes, jobs)


def _entries(document: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    made = {}
    for key, declared in (document.get(kind) or {}).items():
        one = declared or {}
        if _PARTS[kind] is _FILE and not (one.get("file") or one.get("external")):
            msg = f"{kind}.{key} comes from neither a file nor the swarm, and `docker stack deploy` takes nothing else."
            command = f"docker {kind.removesuffix('s')} create {key} -"
            raise UsageError(msg, f"`{command}` reads it from stdin; then `external: true` in {kind}.{key}.")
        made[key] = _named(document, key, one, _PARTS[kind])
    return made


def _named(document: Mapping[str, Any], key: str, entry: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    made = _only(entry, keys)
    subnets = [_only(part, ("subnet",)) for part in (entry.get("ipam") or {}).get("config") or ()]
    if subnets:
        made["ipam"] = {"config": subnets}
    # Swarm chooses that name itself.
    if entry.get("name") not in (None, f"{document['name']}_{key}"):
        made["name"] = entry["name"]
    return made


def _only(entry: Mapping[str, Any] | None, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: entry[key] for key in keys if entry.get(key)} if entry else {}


def _with_number(use: Mapping[str, Any]) -> dict[str, Any]:
    mode = use.get("mode")  # Compose prints octal text
    return {**use, "mode": int(mode, 8)} if isinstance(mode, str) else dict(use)
