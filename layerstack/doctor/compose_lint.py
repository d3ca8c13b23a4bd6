"""Compose files that work by chance, or for more people than meant: shared memory, build order, open ports."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from layerstack.dockerfile.recipe import read_recipe
from layerstack.dockerfile.references import familiar
from layerstack.doctor.mounts import declared_targets
from layerstack.engine.place import WILDCARDS
from layerstack.errors import UsageError
from layerstack.finding import Finding, ok, or_ok, warning
from layerstack.project.compose_source import ComposeSource
from layerstack.project.dependency import dependencies
from layerstack.project.gpu_request import requests_of
from layerstack.project.image_name import is_same
from layerstack.project.project import Project, Service
from layerstack.wording import gibibytes, listed

SHM, ORDER, OPEN = "gpu-shm", "build-order", "port-open"
HOST_SHM = Path("/dev/shm")
# Docker gives a container 64 MB; PyTorch's workers share batches through this memory.
ENOUGH_BYTES = 2**30


def check_shared_memory(project: Project, source: ComposeSource, host_shm: Path = HOST_SHM) -> Iterator[Finding]:
    """Do services that reserve a GPU have more shared memory than Docker's 64 MB?"""
    for service in project.services.values():
        if not requests_of(service.definition):
            continue
        definition = service.definition
        if definition.get("ipc") == "host":
            yield from _host_memory(service, source, host_shm)
        # `service:NAME`, `container:NAME`; `private` and `shareable` are of Docker's size.
        elif definition.get("shm_size") or ":" in str(definition.get("ipc")) or _mounts_shm(service):
            yield ok(SHM, f"{service.name} has its own shared memory, or that of another container")
        else:
            place = source.place("services", service.name, "deploy")
            remedy = f"Add `shm_size: 1gb` (or `ipc: host`) to {service.name}."
            yield warning(SHM, f"{service.name} reserves a GPU and has no shm_size", remedy, service.name, place)


def _mounts_shm(service: Service) -> bool:
    return str(HOST_SHM) in declared_targets(service)


def _host_memory(service: Service, source: ComposeSource, host_shm: Path) -> Iterator[Finding]:
    if not host_shm.is_dir():
        return
    size = shutil.disk_usage(host_shm).total
    if size >= ENOUGH_BYTES:
        yield ok(SHM, f"{service.name} shares this machine's {host_shm} ({gibibytes(size)})")
    else:
        detail = f"{service.name} shares this machine's {host_shm}, which has only {size / 2**20:.0f} MB"
        remedy = f"sudo mount -o remount,size=2g {host_shm}"
        yield warning(SHM, detail, remedy, service.name, source.place("services", service.name, "ipc"))


@or_ok(OPEN, "every published port is on an address of its own")
def check_open_ports(project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Services that publish ports on every interface, which is what Compose does without an address."""
    for service in project.services.values():
        if open_ports := list(_open_ports(service)):
            shown = [str(one.get("published") or f"{one['target']} (on a free port)") for one in open_ports]
            detail = f"{service.name} publishes {listed(shown)} on every interface"
            entries = [entry for entry, _ in source.entries("services", service.name, "ports")]
            remedy = f"{_closing(open_ports, entries)}, unless other machines are to reach it."
            yield warning(OPEN, detail, remedy, service.name, source.place("services", service.name, "ports"))


def _open_ports(service: Service) -> Iterator[Mapping[str, Any]]:
    # On the network of the host nothing is published: the program itself chooses where it listens.
    every = service.definition.get("ports") or () if service.definition.get("network_mode") != "host" else ()
    return (one for one in every if (one.get("host_ip") or "") in WILDCARDS)


def _closing(open_ports: Sequence[Mapping[str, Any]], entries: Sequence[Any]) -> str:
    """How to write these ports for this machine only, in the form that the Compose file has."""
    if any(isinstance(entry, Mapping) for entry in entries):
        return "Add `host_ip: 127.0.0.1` to it"
    kinds = ("" if one.get("protocol", "tcp") == "tcp" else f"/{one['protocol']}" for one in open_ports)
    # Without a number between the colons Docker chooses one.
    lines = [
        f"`127.0.0.1:{one.get('published') or ''}:{one['target']}{kind}`"
        for one, kind in zip(open_ports, kinds, strict=True)
    ]
    return f"Write {listed(lines)}"


@or_ok(ORDER, "depends_on orders starts only")
def check_build_order(project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Services that depend on another one only because their image is built on its image."""
    for service in project.services.values():
        for needed in dependencies(service):
            base = project.services.get(needed)
            if base and _is_built_on(project, service, base) and _only_lends(project, base):
                place = source.place("services", service.name, "depends_on")
                detail = f"{service.name} is built on the image of {needed} and names it in depends_on only"
                remedy = (
                    f'Add `additional_contexts: {{ {familiar(base.image or needed)}: "service:{needed}" }}` to the '
                    f"build of {service.name}, or declare {needed} in docker-bake.hcl, and take it out of depends_on."
                )
                yield warning(ORDER, detail, remedy, service.name, place)


def _is_built_on(project: Project, service: Service, base: Service) -> bool:
    """Whether the Dockerfile uses the other service's image and the Compose file does not declare it."""
    image = project.image_of(service)
    build = service.definition.get("build")
    if image is None or not base.is_built or not isinstance(build, Mapping):
        return False
    # Declared so, a build makes the base first: depends_on then only orders the start.
    if f"service:{base.name}" in (build.get("additional_contexts") or {}).values():
        return False
    try:
        parents = read_recipe(project.root, image).parents
    # The build says what is wrong with that Dockerfile.
    except UsageError:
        return False
    return any(is_same(parent, base.image) for parent in parents)


def _only_lends(project: Project, base: Service) -> bool:
    """Whether only its image is used: it publishes nothing, and no service waits for its result."""
    serves = base.ports or base.has_health_check or base.definition.get("expose")
    waited = (dependencies(one).get(base.name) for one in project.services.values())
    return not serves and "service_completed_successfully" not in waited
