"""Causes of a failed container that only its files show, each with the edit and the command that repair it."""

import posixpath
import re
import shlex
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from os.path import relpath
from typing import Literal

from layerstack.dockerfile.copy_sources import is_remote
from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.engine.files import is_there
from layerstack.errors import EngineError, UsageError
from layerstack.project.declaration import find_declaration
from layerstack.project.project import Project, Service
from layerstack.run.health import renew
from layerstack.run.health_program import missing_program, programs_here
from layerstack.run.script_file import find_refused, find_scripts, interpreter_in, interpreter_of, machine_of

# As a shell and Docker end where there is nothing that they can run.
CANNOT_RUN = (126, 127)
# What a processor of an image's architecture runs besides.
RUNS_ALSO = {"amd64": "386", "arm64": "arm"}


@dataclass(frozen=True)
class Cause:
    """`change` is what a person edits before the command `repair`, "" where the command does all."""

    kind: Literal["command-missing", "windows-line-ends", "health-program-missing"]
    words: str
    repair: str
    change: str = ""

    @property
    def advice(self) -> str:
        return f"{self.change}, then `{self.repair}`" if self.change else f"`{self.repair}`"


def find_cause(client: EngineClient, project: Project, one: Container, log: Iterable[str]) -> Cause | None:
    """The cause of a container's failure; None when its files do not tell."""
    service = project.services.get(one.service)
    if service is None:
        return None
    with suppress(EngineError):
        if one.health in ("starting", "unhealthy") and (program := missing_program(one)):
            return _without_program(client, project, service, one, program)
        if not (one.is_running and one.health) and (refused := find_refused(client, one, log)):
            path, head = refused
            if interpreter := interpreter_of(head):
                return _windows_ends(project, service, one, path, interpreter)
            # Else it may be an argument of the program that failed.
            if one.exit_code in CANNOT_RUN or _is_named(path, (*log, one.error)):
                return _cannot_run(client, project, service, one, path, head)
    return None


def _is_named(path: str, said: Iterable[str]) -> bool:
    """Whether what was said is about running this file; a program may have been called from the folder it starts in."""
    name = re.compile(rf"exec:? \"?\S*{re.escape(posixpath.basename(path))}\b")
    return any(name.search(line) for line in said)


def end_returns(files: Iterable[str]) -> str:
    """The command that converts files to Unix line ends."""
    return f"sed -i 's/\\r$//' {shlex.join(files)}"


def keep_ends(files: Iterable[str]) -> str:
    """The setting that keeps these line ends in every clone."""
    lines = " and ".join(f"`{file} text eol=lf`" for file in files)
    return f"write {lines} into .gitattributes"


def _mounted_file(project: Project, one: Container, path: str) -> str:
    """The project's file that is mounted there; "" for one of the image."""
    binds = [found for found in one.mounts if found.kind == "bind"]
    over = [found for found in binds if path == found.target or path.startswith(f"{found.target.rstrip('/')}/")]
    mounted = max(over, key=lambda found: len(found.target), default=None)
    return relpath(mounted.source + path.removeprefix(mounted.target.rstrip("/")), project.root) if mounted else ""


def _copied_file(project: Project, service: Service, path: str) -> str:
    """The file that a build copied there, by the end of its path; the path itself where there is none."""
    image = project.image_of(service)
    words = path.split("/")[1:] if image and not is_remote(image.context) else []
    tails = (project.root / image.context / "/".join(words[start:]) for start in range(len(words)) if image)
    return next((relpath(tail, project.root) for tail in tails if tail.is_file()), path)


def _cannot_run(
    client: EngineClient, project: Project, service: Service, one: Container, path: str, head: bytes
) -> Cause | None:
    """Why an existing file does not run: its interpreter, or its machine."""
    mounted = _mounted_file(project, one, path)
    is_in_image = service.is_built and not mounted
    again = renew(service.name, is_in_image)
    program = interpreter_in(head)
    if program and is_there(client, one.id, program) is False:
        words = f"cannot run {path}: its first line names {program}, which its image does not have"
        file = mounted or _copied_file(project, service, path)
        change = f"correct the first line of {file}, or take an image that has {program}"
        return Cause("command-missing", words, again, change)
    here = str(client.api.inspect_image(one.image_id).get("Architecture") or "")
    if (machine := machine_of(head)) and here and machine not in (here, RUNS_ALSO.get(here)):
        words = f"cannot run {path}: it is made for {machine}, and its image is for {here}"
        return Cause("command-missing", words, again, f"put a {mounted or path} there that is made for {here}")
    return None


def _windows_ends(project: Project, service: Service, one: Container, path: str, interpreter: str) -> Cause:
    words = f"cannot run {path}: it has Windows line ends, so that its interpreter is `{interpreter}\\r`"
    name, image = path.rpartition("/")[2], project.image_of(service)
    mounted = _mounted_file(project, one, path)
    files = [mounted] if mounted else []
    if image and not mounted:
        with suppress(UsageError):
            every = find_scripts(project.root, image, [service.definition])
            files = [file for file, _ in every if file.rpartition("/")[2] == name]
    again = f"invoke build {image.name} && invoke up" if image and not mounted else f"invoke up {service.name}"
    if not files:
        return Cause("windows-line-ends", words, again, f"give {name} the line ends of Unix where it comes from")
    return Cause("windows-line-ends", words, f"{end_returns(files)} && {again}", keep_ends(files))


def _without_program(client: EngineClient, project: Project, service: Service, one: Container, program: str) -> Cause:
    words = f"has a health check that runs {program}, and its image has none"
    others = [name for name in programs_here(client, one) if name != program]
    declared, image = find_declaration(project, service.name, "healthcheck"), project.image_of(service)
    where = f" ({declared.place})" if declared else ""
    asked = f"let the health check{where} run {others[0] if others else 'a program that the image has'}"
    if image is None:
        return Cause("health-program-missing", words, f"invoke up {service.name}", asked)
    change = f"install {program} in {image.dockerfile_place}, or {asked}"
    return Cause("health-program-missing", words, f"invoke build {image.name} && invoke up", change)
