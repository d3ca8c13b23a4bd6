"""Compares the definition of a service with that of its container, by Compose's own digest."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerstack import command
from layerstack.engine.container import Container
from layerstack.project.project import Project, Service
from layerstack.run.dev_settings import hash_of

# `Container shop-web-1  Recreate`
_RECREATED = re.compile(r"Container (\S+)\s+Recreate$", re.MULTILINE)
FILES_LABEL = "com.docker.compose.project.config_files"


def read_hashes(project: Project) -> dict[str, str]:
    """Service → digest of its definition now, with everything from `.env` and the environment filled in.

    Empty when Compose does not say.
    """
    result = command.run(project.compose("config", "--hash", "*"), cwd=project.root, env=project.environment)
    pairs = (line.split() for line in result.stdout.splitlines()) if result.ok else ()
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def find_changed(project: Project, hashes: Mapping[str, str], found: Mapping[str, Sequence[Container]]) -> set[str]:
    """Names of the containers that were created from a definition other than the current one."""
    others = {
        service: [one.name for one in containers if is_other(one, hashes.get(service))]
        for service, containers in found.items()
    }
    suspects = sorted(service for service, names in others.items() if names)
    names = {name for several in others.values() for name in several}
    # A definition that refers to another container (`network_mode: service:…`) or to a secret has one digest in
    # `config` and another in `up`: only what `up` would do is certain.
    recreated = _would_recreate(project, suspects) if suspects else set()
    return names if recreated is None else names & recreated


def _would_recreate(project: Project, services: Sequence[str]) -> set[str] | None:
    """Containers that `up` would replace; None when Compose does not say."""
    argv = project.compose("--dry-run", "--progress", "plain", "up", "--detach", "--no-build", "--no-deps", *services)
    result = command.run(argv, cwd=project.root, env=project.environment)
    return set(_RECREATED.findall(result.stderr + result.stdout)) if result.ok else None


def other_files(container: Container, project: Project) -> list[str]:
    """Compose files that a container was created from and that are none of this project's."""
    own = {str(path) for path in (*project.compose_files, *([project.overlay] if project.overlay else []))}
    return [file for file in files_of(container) if file not in own]


def files_of(container: Container) -> tuple[str, ...]:
    """The Compose files that a container was created from."""
    return tuple(file for file in (container.labels or {}).get(FILES_LABEL, "").split(",") if file)


def is_other(container: Container, now: str | None) -> bool:
    """Whether a container was created from another definition; False where one of the two is not known."""
    then = hash_of(container)
    return bool(then and now and then != now)


def differences(data: Mapping[str, Any], service: Service) -> list[str]:
    """What of a definition differs from the container that `docker inspect` describes, as far as it can be compared."""
    config, definition = data["Config"], service.definition
    # The variables of the image are among them, so only the declared ones are compared.
    had = dict(line.partition("=")[::2] for line in config.get("Env") or ())
    wanted = {name: str(value) for name, value in (definition.get("environment") or {}).items() if value is not None}
    found = [f"environment {name}" for name in sorted(wanted) if had.get(name) != wanted[name]]
    if service.image and service.image != config.get("Image"):
        found.append(f"image {config.get('Image')} → {service.image}")
    if definition.get("command") and definition["command"] != config.get("Cmd"):
        found.append("command")
    if _published(data) != _declared(definition):
        found.append("ports")
    # A container with volumes_from also has the mounts of others.
    is_comparable = not definition.get("volumes_from")
    # Compose mounts secrets and configs as binds that are in no `volumes:`.
    if is_comparable and _bound(data, set(_given_files(definition))) != _binds(definition):
        found.append("mounts")
    return found


def _published(data: Mapping[str, Any]) -> set[tuple[str, str]]:
    bindings = (data["HostConfig"].get("PortBindings") or {}).items()
    return {(target, one.get("HostPort") or "") for target, hosts in bindings for one in hosts or ()}


def _declared(definition: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {
        (f"{port['target']}/{port.get('protocol', 'tcp')}", str(port.get("published", "")))
        for port in definition.get("ports") or ()
    }


def _bound(data: Mapping[str, Any], others: set[str]) -> dict[str, str]:
    mounts = (one for one in data.get("Mounts") or () if one["Type"] == "bind" and one["Destination"] not in others)
    return {one["Destination"]: one["Source"] for one in mounts}


def _binds(definition: Mapping[str, Any]) -> dict[str, str]:
    return {one["target"]: one["source"] for one in definition.get("volumes") or () if one["type"] == "bind"}


def _given_files(definition: Mapping[str, Any]) -> Iterator[str]:
    """The paths at which Compose mounts the secrets and configs of a service."""
    for key, folder in (("secrets", "/run/secrets/"), ("configs", "/")):
        for one in definition.get(key) or ():
            target = str(one.get("target") or one["source"])
            yield target if target.startswith("/") else folder + target
