"""The project: its images, its services and the graph between them, as bake and Compose resolve them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import yaml

from layerstack import command
from layerstack.dockerfile.image import Image, read_image
from layerstack.errors import EngineError, StackError, UsageError
from layerstack.project import answers
from layerstack.project.bad_yaml import find_yaml_error
from layerstack.project.discovery import discover
from layerstack.project.gpu_request import requests_of

Device = Literal["gpu", "cpu"]

COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
BAKE_NAMES = ("docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl")


@dataclass(frozen=True)
class Port:
    """A published TCP port: where the host reaches the container's `target`."""

    host_ip: str
    published: int
    target: int

    @property
    def address(self) -> str:
        return f"{'127.0.0.1' if self.host_ip in ('', '0.0.0.0', '::') else self.host_ip}:{self.published}"


@dataclass(frozen=True)
class Service:
    """One Compose service; `settings` is its `x-layerstack` block, `definition` all that Compose resolved."""

    name: str
    image: str
    ports: tuple[Port, ...]
    definition: Mapping[str, Any]
    settings: Mapping[str, Any]

    @property
    def is_built(self) -> bool:
        return "build" in self.definition

    @property
    def has_health_check(self) -> bool:
        check = self.definition.get("healthcheck") or {}
        return bool(check) and not check.get("disable") and check.get("test") != ["NONE"]

    @property
    def wants_gpu(self) -> bool:
        return bool(requests_of(self.definition))


@dataclass(frozen=True)
class Project:
    """A folder with a Compose file and maybe a bake file, read for one device."""

    root: Path
    name: str
    device: Device
    compose_files: tuple[Path, ...]
    bake_files: tuple[Path, ...]
    images: Mapping[str, Image]
    services: Mapping[str, Service]
    overlay: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Variables every bake and Compose call of this project gets."""
        return {"DEVICE": self.device, "COMPOSE_PROJECT_NAME": self.name}

    @property
    def base_images(self) -> tuple[Image, ...]:
        """Images that no service runs: the layers below the services."""
        run = self._service_targets
        return tuple(image for image in self.images.values() if image.name not in run)

    @property
    def service_images(self) -> tuple[Image, ...]:
        run = self._service_targets
        return tuple(image for image in self.images.values() if image.name in run)

    @property
    def _service_targets(self) -> set[str]:
        return {_target_name(name) for name in self.services}

    def compose(self, *words: str) -> tuple[str, ...]:
        """The argument list of a Compose call."""
        files = (*self.compose_files, *([self.overlay] if self.overlay else []))
        return (*_compose_arguments(self.root, files), *words)

    def image(self, name: str) -> Image:
        """Raises UsageError with the nearest names when there is no such image."""
        found = self.images.get(name) or self.images.get(_target_name(name))
        found = found or next((image for image in self.images.values() if name in image.tags), None)
        if found:
            return found
        raise UsageError(f"There is no image `{name}` in this project.", _nearest(name, self.images))

    def service(self, name: str) -> Service:
        """Raises UsageError with the nearest names when there is no such service."""
        if name in self.services:
            return self.services[name]
        raise UsageError(f"There is no service `{name}` in this project.", _nearest(name, self.services))

    def with_parents(self, names: Iterable[str]) -> tuple[Image, ...]:
        """The named images and everything they are built on, parents first."""
        ordered: dict[str, Image] = {}

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise UsageError(f"Images are built on each other in a circle: {' → '.join((*path, name))}.")
            if name in ordered:
                return
            image = self.image(name)
            for parent in image.parents:
                visit(parent, (*path, name))
            ordered[name] = image

        for name in names:
            visit(name, ())
        return tuple(ordered.values())


def load(root: Path, device: Device, targets: Sequence[str] = ()) -> Project:
    """Read the project in `root` for one device; `targets` adds images outside the default group.

    Images that nothing declares but that others are built on are found, and told to bake in one file more. Raises
    UsageError when there is no Compose file, it does not parse, or images are built on each other in a circle.
    """
    compose_files = find_compose_files(root, device)
    bake_files = tuple(root / name for name in BAKE_NAMES if (root / name).is_file())
    with ThreadPoolExecutor(2) as pool:
        bake = pool.submit(_read_bake, root, device, (*compose_files, *bake_files), targets)
        compose = pool.submit(_read_compose, root, {"DEVICE": device}, compose_files)
        config = compose.result()
        _refuse_circle(config)
        images = bake.result()
    services = {name: _service(name, definition) for name, definition in (config.get("services") or {}).items()}
    names = {_target_name(name): name for name in services}
    found = discover(
        root,
        {key: _tagged(image, str(config["name"]), names.get(key, key)) for key, image in images.items()},
    )
    generated = found.write(root)
    bake_files = (*bake_files, generated) if generated else bake_files
    return Project(root, str(config["name"]), device, compose_files, bake_files, found.images, services)


def with_overlay(project: Project, name: str, overlay: Path) -> Project:
    """The same images, run under another Compose project name and with one more Compose file on top."""
    files = (*project.compose_files, overlay)
    config = _read_compose(project.root, {"DEVICE": project.device, "COMPOSE_PROJECT_NAME": name}, files)
    services = {key: _service(key, definition) for key, definition in (config.get("services") or {}).items()}
    return replace(project, name=name, services=services, overlay=overlay)


def find_root(start: Path) -> Path:
    """The nearest folder from `start` upwards with a Compose file. Raises UsageError."""
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in COMPOSE_NAMES):
            return folder
    raise UsageError(f"There is no Compose file in {start} or above it.", "Run this in your project's folder.")


def find_compose_files(root: Path, device: Device) -> tuple[Path, ...]:
    """The Compose file, its override and, on a machine without a GPU, its `.cpu` variant."""
    base = next((root / name for name in COMPOSE_NAMES if (root / name).is_file()), None)
    if base is None:
        raise UsageError(f"There is no Compose file in {root}.", f"Run this in a folder with a {COMPOSE_NAMES[2]}.")
    extra = ["override"] + (["cpu"] if device == "cpu" else [])
    variants = (base.with_name(f"{base.stem}.{word}{base.suffix}") for word in extra)
    return (base, *(path for path in variants if path.is_file()))


def bake_arguments(root: Path, files: Iterable[Path]) -> tuple[str, ...]:
    """`docker buildx bake` with its files; `root` must be the working directory of the call."""
    return ("docker", "buildx", "bake", *(part for path in files for part in ("--file", str(path.relative_to(root)))))


def _read_bake(root: Path, device: Device, files: Sequence[Path], targets: Sequence[str]) -> dict[str, Image]:
    argv = (*bake_arguments(root, files), "--print", *(("default", *targets) if targets else ()))
    said = _ask("The build definition", root, argv, {"DEVICE": device}, files)
    # What bake prints is meant to be read by bake again: it wears HCL's escapes.
    plain = said.replace("$${", "${").replace("%%{", "%{")
    definitions: dict[str, Any] = json.loads(plain).get("target") or {}
    return {name: read_image(name, definition) for name, definition in definitions.items()}


def _compose_arguments(root: Path, files: Iterable[Path]) -> tuple[str, ...]:
    file_options = (part for path in files for part in ("--file", str(path)))
    return ("docker", "compose", "--project-directory", str(root), *file_options)


def _read_compose(root: Path, environment: Mapping[str, str], files: Sequence[Path]) -> dict[str, Any]:
    # YAML, because the JSON output drops the x-layerstack blocks of services.
    argv = (*_compose_arguments(root, files), "config", "--format", "yaml")
    said = _ask("The Compose file", root, argv, environment, files)
    config: dict[str, Any] = yaml.load(said, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return config


def _ask(what: str, root: Path, argv: Sequence[str], environment: Mapping[str, str], files: Sequence[Path]) -> str:
    """What a program says of these files: its last answer when nothing that it reads has changed."""
    key = answers.key_of(root, argv, environment, files)
    kept = answers.recall(root, key)
    if kept is not None:
        return kept
    result = command.run(argv, cwd=root, env=environment)
    if not result.ok:
        raise _unreadable(what, result, files)
    answers.keep(root, key, result.stdout)
    return result.stdout


def _unreadable(what: str, result: command.CommandResult, files: Sequence[Path]) -> StackError:
    lines = [line for line in result.stderr.splitlines() if line.strip() and not line.startswith("#")]
    if "unknown command" in result.stderr or "is not a docker command" in result.stderr:
        return EngineError("Docker's buildx or compose plugin is missing.", "`invoke setup` tells what is missing.")
    detail = "\n".join(f"  | {line}" for line in lines[-10:])
    place = find_yaml_error(files)
    return UsageError(
        f"{what} cannot be read{f': {place}' if place else ''}:\n{detail}",
        f"The same by hand: {command.printable(result.argv)}",
    )


def _tagged(image: Image, project_name: str, service_name: str) -> Image:
    return image if image.tags else replace(image, tags=(f"{project_name}-{service_name}:latest",))


def _target_name(service_name: str) -> str:
    """The bake target of a service: Buildx takes no dots."""
    return service_name.replace(".", "_")


def _refuse_circle(config: Mapping[str, Any]) -> None:
    """Services whose builds name each other: Buildx refuses them, too, but not with the path."""
    services = config.get("services") or {}
    builds = {name: definition.get("build") for name, definition in services.items()}
    contexts = {
        name: {
            key: value.replace("service:", "target:", 1)
            for key, value in (build.get("additional_contexts") or {}).items()
            if value.startswith("service:") and value.removeprefix("service:") in services
        }
        for name, build in builds.items()
        if isinstance(build, dict)
    }
    images = {name: Image(name, ".", contexts=contexts.get(name, {})) for name in services}
    Project(Path(), "", "cpu", (), (), images, {}).with_parents(images)


def _service(name: str, definition: Mapping[str, Any]) -> Service:
    ports = tuple(
        Port(port.get("host_ip", ""), int(port["published"]), int(port["target"]))
        for port in definition.get("ports") or ()
        if str(port.get("published", "")).isdigit() and port.get("protocol", "tcp") == "tcp"
    )
    return Service(name, definition.get("image", ""), ports, definition, definition.get("x-layerstack") or {})


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(name, names, n=3)
    return f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(names)}."
