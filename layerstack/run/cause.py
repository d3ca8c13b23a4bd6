"""Causes that a container alone does not tell, but its files do: each with the edit and the command that end it."""

import shlex
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from os.path import relpath
from typing import TYPE_CHECKING, Literal

from layerstack.engine.container import Container
from layerstack.errors import EngineError, UsageError
from layerstack.project.declaration import find_declaration
from layerstack.project.project import Project, Service
from layerstack.run.health_program import missing_program, programs_here
from layerstack.run.script_file import find_refused, find_scripts

if TYPE_CHECKING:
    from layerstack.engine.api import EngineClient


@dataclass(frozen=True)
class Cause:
    """`change` is what a person edits before the command `repair`, "" where the command does all."""

    kind: Literal["windows-line-ends", "health-program-missing"]
    words: str
    repair: str
    change: str = ""

    @property
    def advice(self) -> str:
        return f"{self.change}, then `{self.repair}`" if self.change else f"`{self.repair}`"


def find_cause(client: "EngineClient", project: Project, one: Container, log: Iterable[str]) -> Cause | None:
    """The cause of a failed container of the project, None when its files say nothing of it."""
    service = project.services.get(one.service)
    if service is None:
        return None
    with suppress(EngineError):
        if one.health in ("starting", "unhealthy") and (program := missing_program(one)):
            return _without_program(client, project, service, one, program)
        if not (one.is_running and one.health) and (refused := find_refused(client, one, log)):
            return _windows_ends(project, service, one, *refused)
    return None


def end_returns(files: Iterable[str]) -> str:
    """The command that gives files the line ends of Unix."""
    return f"sed -i 's/\\r$//' {shlex.join(files)}"


def keep_ends(files: Iterable[str]) -> str:
    """What keeps them so in every clone."""
    lines = " and ".join(f"`{file} text eol=lf`" for file in files)
    return f"write {lines} into .gitattributes"


def _windows_ends(project: Project, service: Service, one: Container, path: str, interpreter: str) -> Cause:
    words = f"cannot run {path}: it has Windows line ends, so that its interpreter is `{interpreter}\\r`"
    name, image = path.rpartition("/")[2], project.image_of(service)
    binds = [found for found in one.mounts if found.kind == "bind"]
    over = [found for found in binds if path == found.target or path.startswith(f"{found.target.rstrip('/')}/")]
    mounted = max(over, key=lambda found: len(found.target), default=None)
    files: list[str] = []
    if mounted:
        files = [relpath(mounted.source + path.removeprefix(mounted.target.rstrip("/")), project.root)]
    elif image:
        with suppress(UsageError):
            every = find_scripts(project.root, image, [service.definition])
            files = [file for file, _ in every if file.rpartition("/")[2] == name]
    again = f"invoke build {image.name} && invoke up" if image and not mounted else f"invoke up {service.name}"
    if not files:
        return Cause("windows-line-ends", words, again, f"give {name} the line ends of Unix where it comes from")
    return Cause("windows-line-ends", words, f"{end_returns(files)} && {again}", keep_ends(files))


def _without_program(client: "EngineClient", project: Project, service: Service, one: Container, program: str) -> Cause:
    words = f"has a health check that runs {program}, and its image has none"
    others = [name for name in programs_here(client, one) if name != program]
    declared, image = find_declaration(project, service.name, "healthcheck"), project.image_of(service)
    where = f" ({declared.place})" if declared else ""
    asked = f"let the health check{where} run {others[0] if others else 'a program that the image has'}"
    if image is None:
        return Cause("health-program-missing", words, f"invoke up {service.name}", asked)
    change = f"install {program} in {image.dockerfile_place}, or {asked}"
    return Cause("health-program-missing", words, f"invoke build {image.name} && invoke up", change)
