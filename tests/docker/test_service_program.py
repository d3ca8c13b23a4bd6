"""A program of a service runs once, with the service's volumes and a file of this machine, and leaves no container."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layerstack.errors import StartFailed, UsageError
from layerstack.project.project import Project
from layerstack.run.service_program import find_program, run_program

pytestmark = pytest.mark.docker

LoadProject = Callable[..., Project]


def test_it_runs_with_the_volumes_and_a_file(
    load_project: LoadProject, tmp_path: Path, engine_client: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    project = load_project("programs")
    file = tmp_path / "a file"
    file.write_text("hello")
    keep = find_program(project, "keep")
    assert keep.service == "web"
    assert run_program(project, keep, ["/tmp/given", "0"], {"/tmp/given": file}) == 0
    assert run_program(project, keep, ["/tmp/given", "7"], {"/tmp/given": file}) == 7
    assert capfd.readouterr().out == "hello\nhellohello\n"
    of_it = {"label": f"com.docker.compose.project={project.name}"}
    assert engine_client.containers.list(all=True, filters=of_it) == []


def test_a_program_that_nobody_declares_is_named(load_project: LoadProject) -> None:
    with pytest.raises(UsageError, match="No service of this project has a program `weights`"):
        find_program(load_project("programs"), "weights")


def test_without_its_image_it_does_not_run(load_project: LoadProject) -> None:
    project = load_project("unbuilt")
    name = next(iter(project.services))
    program = find_program(load_project("programs"), "keep")
    with pytest.raises(StartFailed, match="Not built yet"):
        run_program(project, type(program)(name, program.words), [])
