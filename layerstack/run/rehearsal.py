"""A temporary copy of the stack beside the user's own, with another project name, free ports and separate volumes."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from layerstack import command
from layerstack.engine import engine
from layerstack.engine.container import PROJECT_LABEL
from layerstack.errors import NotInEngine, RefusedByEngine
from layerstack.owner import is_abandoned, own_mark
from layerstack.project.project import Project, Service, read_config, with_overlay
from layerstack.temporary_folder import temporary_folder

LABEL = "layerstack.rehearsal"


@contextmanager
def rehearsal(
    project: Project, purpose: str, changes: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[Project]:
    """The project under its own name, `NAME-PURPOSE-PID`; `changes` are further Compose keys per service.

    Nothing is started. Whatever was started under that name is removed at the end, volumes included.
    """
    name = f"{project.name}-{purpose}-{os.getpid()}"
    with temporary_folder("rehearsal") as folder:
        overlay = folder / "overlay.yml"
        overlay.write_text(_overlay(project, read_config(project), changes or {}))
        copy = with_overlay(project, name, overlay)
        try:
            yield copy
        finally:
            # A failure here must not hide an error of the block; leftovers are found by their label.
            command.run(
                copy.compose("--progress", "quiet", "down", "--volumes", "--remove-orphans", "--timeout", "2"),
                cwd=copy.root,
                env=copy.environment,
            )


def from_image(service: Service, tag: str) -> dict[str, str]:
    """Compose keys that run a service from another image, without source mounts that would hide its files."""
    kept = [one for one in service.definition.get("volumes") or () if one["type"] == "volume"]
    return {"image": tag, "volumes": f"!override {json.dumps(kept)}"}


def find_leftovers(project: Project) -> tuple[str, ...]:
    """The names of the copies that killed runs left running.

    A name alone proves nothing, another project may be called so: only what carries our label is taken.
    """
    client, found = engine.client(), set()
    marked: dict[str, str | list[str] | bool] = {"label": LABEL}
    # Sparse: the SDK would ask for each one again, and fail at one that goes meanwhile.
    for thing in (
        *client.containers.list(all=True, sparse=True, filters=marked),
        *client.networks.list(filters=marked),
    ):
        labels = thing.attrs.get("Labels") or {}
        name = labels.get(PROJECT_LABEL, "")
        # The mark names the process: the copy of a run that is still alive is left alone.
        if name.startswith(f"{project.name}-") and is_abandoned(labels[LABEL]):
            found.add(name)
    return tuple(sorted(found))


def remove_all(name: str) -> None:
    """Remove the containers, networks and volumes of a copy."""
    client = engine.client()
    of_it: dict[str, str | list[str] | bool] = {"label": f"{PROJECT_LABEL}={name}"}
    for container in client.containers.list(all=True, sparse=True, filters=of_it):
        with suppress(NotInEngine, RefusedByEngine):  # somebody else removes it at the same time
            container.remove(force=True, v=True)
    networks, volumes = client.networks.list(filters=of_it), client.volumes.list(filters=of_it)
    for remove in (*(one.remove for one in networks), *(one.remove for one in volumes)):
        with suppress(NotInEngine, RefusedByEngine):
            remove()


def free_port() -> int:
    """A free TCP port on 127.0.0.1."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _overlay(project: Project, config: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> str:
    label = f"labels: {{ {LABEL}: '{own_mark()}' }}"
    lines = [*_own_things(config, label), "services:"]
    for service in project.services.values():
        own = changes.get(service.name, {})
        ports = [f"127.0.0.1:{free_port()}:{port.target}" for port in service.ports]
        lines += [f"  {json.dumps(service.name)}:", f"    ports: !override {json.dumps(ports)}", "    restart: 'no'"]
        lines += [f"    {label}"] if "labels" not in own else []
        if service.image and "image" not in own:
            # Its own may have the project's name in it.
            lines.append(f"    image: {json.dumps(service.image)}")
        lines += ["    container_name: !reset null"] if "container_name" in service.definition else []
        lines += _networks_of(service)
        lines += [f"    {key}: {value}" for key, value in own.items()]
    return "\n".join(lines) + "\n"


def _own_things(config: Mapping[str, Any], label: str) -> Iterator[str]:
    """Networks and volumes of the copy's own, whatever name, driver or owner those of the stack have.

    They are labelled, too: a run that is killed before its first container leaves only these.
    """
    networks = {"default": None, **(config.get("networks") or {})}
    yield "networks:"
    for name, one in networks.items():
        is_internal = json.dumps(bool((one or {}).get("internal")))
        yield f"  {json.dumps(name)}: !override {{ internal: {is_internal}, {label} }}"
    # One with a fixed name would be the stack's own volume, which goes with the copy.
    if volumes := config.get("volumes"):
        yield "volumes:"
        yield from (f"  {json.dumps(name)}: !override {{ {label} }}" for name in volumes)


def _networks_of(service: Service) -> Iterator[str]:
    """Without fixed addresses, which belong to the networks of the stack."""
    networks = service.definition.get("networks") or {}
    if any(key.endswith("_address") for one in networks.values() for key in one or ()):
        kept = {
            name: {key: value for key, value in (one or {}).items() if not key.endswith("_address")}
            for name, one in networks.items()
        }
        yield f"    networks: !override {json.dumps(kept)}"
