"""Causes of a failed container that only its files show, each with the edit and the command that repair it."""

import posixpath
import re
import shlex
from collections.abc import Iterable
from contextlib import suppress
from os.path import relpath

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.engine.files import is_there
from layerstack.errors import EngineError, UsageError
from layerstack.project.declaration import find_declaration
from layerstack.project.project import Project, Service
from layerstack.run.declared import place_or
from layerstack.run.fault import Fault
from layerstack.run.health_program import missing_program, programs_here
from layerstack.run.own_file import find_own, own_name, renewal
from layerstack.run.script_file import find_refused, find_scripts, interpreter_in, interpreter_of, machine_of

# Exit codes of a shell and of Docker for a program that cannot be run.
CANNOT_RUN = (126, 127)
# `error gathering device information while adding custom device "/dev/ttyUSB0": no such file or directory`
NO_DEVICE = re.compile(r"adding custom device \"(?P<path>[^\"]+)\": no such file")
# Further architectures whose programs a processor runs.
RUNS_ALSO = {"amd64": "386", "arm64": "arm"}


def find_cause(client: EngineClient, project: Project, container: Container, log: Iterable[str]) -> Fault | None:
    """The cause of a container's failure; None when its files do not tell."""
    service = project.services.get(container.service)
    if service is None:
        return None
    if match := NO_DEVICE.search(container.error):
        return _without_device(project, service, match["path"])
    # A container that has been removed meanwhile has no files to read.
    with suppress(EngineError):
        # A container whose health check cannot run never gets healthy, whatever its program does.
        if container.health in ("starting", "unhealthy") and (program := missing_program(container)):
            return _without_program(client, project, service, container, program)
        if not (container.is_running and container.health) and (refused := find_refused(client, container, log)):
            path, head = refused
            if interpreter := interpreter_of(head):
                return _windows_ends(project, service, container, path, interpreter)
            # Else it may be an argument of the program that failed.
            if container.exit_code in CANNOT_RUN or _is_named(path, (*log, container.error)):
                return _cannot_run(client, project, service, container, path, head)
    return None


def _without_device(project: Project, service: Service, path: str) -> Fault:
    declared = find_declaration(project, service.name, "devices")
    place = place_or(declared, f"the devices of {service.name}")
    words = f"asks for the device {path}, which the engine's machine does not have"
    return Fault("device-missing", words, f"invoke up {service.name}", f"connect it, or remove it from {place}")


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


def _cannot_run(
    client: EngineClient, project: Project, service: Service, container: Container, path: str, head: bytes
) -> Fault | None:
    """Why an existing file does not run: its interpreter, or its machine."""
    again, file = renewal(service, container, path), own_name(project, service, container, path)
    program = interpreter_in(head)
    if program and is_there(client, container.id, program) is False:
        words = f"cannot run {path}: its first line names {program}, which its image does not have"
        change = f"correct the first line of {file}, or take an image that has {program}"
        return Fault("command-missing", words, again, change)
    here = str(client.api.inspect_image(container.image_id).get("Architecture") or "")
    if (machine := machine_of(head)) and here and machine not in (here, RUNS_ALSO.get(here)):
        words = f"cannot run {path}: it is made for {machine}, and its image is for {here}"
        return Fault("command-missing", words, again, f"put a {file} there that is made for {here}")
    return None


def _windows_ends(project: Project, service: Service, container: Container, path: str, interpreter: str) -> Fault:
    words = f"cannot run {path}: it has Windows line ends, so that its interpreter is `{interpreter}\\r`"
    name, image = path.rpartition("/")[2], project.image_of(service)
    is_mounted = container.mount_at(path) is not None
    files = [relpath(own, project.root)] if is_mounted and (own := find_own(project, service, container, path)) else []
    if image and not is_mounted:
        with suppress(UsageError):
            every = find_scripts(project.root, image, [service.definition])
            files = [file for file, _ in every if file.rpartition("/")[2] == name]
    again = renewal(service, container, path)
    if not files:
        return Fault("windows-line-ends", words, again, f"give {name} the line ends of Unix where it comes from")
    return Fault("windows-line-ends", words, f"{end_returns(files)} && {again}", keep_ends(files))


def _without_program(
    client: EngineClient, project: Project, service: Service, container: Container, program: str
) -> Fault:
    words = f"has a health check that runs {program}, and its image has none"
    others = [name for name in programs_here(client, container) if name != program]
    declared, image = find_declaration(project, service.name, "healthcheck"), project.image_of(service)
    where = f" ({declared.place})" if declared else ""
    asked = f"let the health check{where} run {others[0] if others else 'a program that the image has'}"
    if image is None:
        return Fault("health-program-missing", words, f"invoke up {service.name}", asked)
    change = f"install {program} in {image.dockerfile_place}, or {asked}"
    return Fault("health-program-missing", words, f"invoke build {image.name} && invoke up", change)
