"""Runs a program of a service's image once, in a new container with the service's volumes."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerstack import command
from layerstack.engine import engine
from layerstack.errors import UsageError
from layerstack.project.project import Project
from layerstack.run.start_failure import require_images


@dataclass(frozen=True)
class ServiceProgram:
    """`words` is the command line as `x-layerstack: { programs: { NAME: […] } }` of the service declares it."""

    service: str
    words: tuple[str, ...]


def find_program(project: Project, name: str) -> ServiceProgram:
    """The program of that name. Raises UsageError when no service declares it."""
    for service in project.services.values():
        if words := service.settings.programs.get(name):
            return ServiceProgram(service.name, words)
    raise UsageError(
        f"No service of this project has a program `{name}`.",
        f"Declare it in the Compose file: `x-layerstack: {{ programs: {{ {name}: [PROGRAM, ARGUMENT] }} }}`.",
    )


def run_program(
    project: Project, program: ServiceProgram, arguments: Sequence[str], files: Mapping[str, Path] | None = None
) -> int:
    """Run it with more arguments and this terminal; its exit code. The container is removed, whatever happens.

    `files` maps paths in the container to files of this machine, which it may read. Raises StartFailed when the image
    is not there.
    """
    require_images(engine.client(), project, [program.service])
    options = ["--rm", "--no-deps", "--quiet-pull"]
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        # A pseudo-terminal would put a carriage return before each line end of piped data.
        options.append("--no-TTY")
    for inside, file in (files or {}).items():
        options += ["--volume", f"{file.resolve()}:{inside}:ro"]
    argv = project.compose("--progress", "quiet", "run", *options, program.service, *program.words, *arguments)
    return command.attach(argv, cwd=project.root, env=project.environment)
