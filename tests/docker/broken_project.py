"""A small foreign project that tests break and repair: its good files, and the commands that a person types."""

import os
import shutil
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typed

from layerstack import command
from layerstack.build import build
from layerstack.build.progress import BuildObserver
from layerstack.engine import engine
from layerstack.project import project
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.rehearsal import remove_all
from layerstack.run.start_failure import ServiceFailed
from layerstack.run.startup import Silent
from layerstack.verify.diagnosis import Diagnosis
from layerstack.verify.trouble import diagnosis_of
from layerstack.verify.verify import verify

PROJECTS = Path(__file__).parent / "projects"
LONGEST_SECONDS = 60.0


@dataclass
class BrokenProject:
    """`root` is a copy of the project, `good` the files as they should be, `variables` its name and its ports."""

    root: Path
    good: Mapping[str, str]
    variables: Mapping[str, str]

    def load(self) -> Project:
        # Another project of the same tests may have set its own since.
        os.environ.update(self.variables)
        return project.load(self.root, "cpu")

    @property
    def name(self) -> str:
        return self.load().name

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def write(self, name: str, text: str, mode: int | None = None) -> None:
        # In place, as an editor that keeps the file does: a file that is mounted alone stays the same one.
        (self.root / name).write_text(text)
        if mode is not None:
            (self.root / name).chmod(mode)

    def edit(self, name: str, old: str, new: str) -> None:
        assert old in self.read(name), f"{name} has no {old!r}"
        self.write(name, self.read(name).replace(old, new))

    def mend(self) -> None:
        """All files as they should be, by content: what was done to a mode or a container is for the repair."""
        for name, text in self.good.items():
            if self.read(name) != text:
                self.write(name, text)
        (self.root / ".env").unlink(missing_ok=True)

    def docker(self, *words: str) -> None:
        command.run(["docker", *words], cwd=self.root).require()

    def container(self, service: str) -> str:
        return f"{self.name}-{service}-1"

    def compose_up(self) -> None:
        """What a person's `docker compose up` does, whatever comes of it."""
        loaded = self.load()
        command.run(loaded.compose("up", "--detach", "--no-build"), cwd=self.root, env=loaded.environment)

    def build(self) -> None:
        loaded = self.load()
        if loaded.images:
            build.build(loaded, list(loaded.images), BuildObserver())

    def up(self, timeout_seconds: float = LONGEST_SECONDS) -> None:
        loaded = self.load()
        stack.up(loaded, Silent(), (), timeout_seconds, diagnosis_of(loaded))

    def refused(self) -> ServiceFailed:
        with pytest.raises(ServiceFailed) as failed:
            self.up()
        return failed.value

    def diagnosis(self) -> Diagnosis:
        report = verify(self.load(), LONGEST_SECONDS)
        assert report.diagnosis is not None, [check for one in report.services for check in one.checks]
        return report.diagnosis

    def type(self, repair: str) -> None:
        """A repair, as it is printed, in a shell; everything must be well then."""
        typed.repair(self.root, repair, **self.variables)
        self.require_ok()

    def require_ok(self) -> None:
        report = verify(self.load(), LONGEST_SECONDS)
        assert report.is_ok, report.diagnoses

    def ask(self, service: str, path: str) -> None:
        """A request whose answer nobody waits for."""
        address = self.load().services[service].ports[0].address
        with suppress(OSError):
            urllib.request.urlopen(f"http://{address}{path}", timeout=0.5)


@contextmanager
def broken_project(name: str, folder: Path, environment: Mapping[str, str]) -> Iterator[BrokenProject]:
    """A running copy; containers, volumes and images are gone afterwards."""
    root = folder / name
    shutil.copytree(PROJECTS / name, root)
    # Another user's, whoever runs the tests: modes are what decides.
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.suffix == ".sh" else 0o644)
    good = {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}
    with pytest.MonkeyPatch.context() as patched:
        variables = {"COMPOSE_PROJECT_NAME": f"layerstack-test-{name}-{os.getpid()}", **environment}
        for variable, value in variables.items():
            patched.setenv(variable, value)
        found = BrokenProject(root, good, variables)
        loaded = found.load()
        try:
            found.build()
            found.up()
            found.require_ok()
            yield found
        finally:
            remove_all(loaded.name)
            remove_images(loaded)


def remove_images(loaded: Project) -> None:
    client: Any = engine.client()
    for image in loaded.images.values():
        with suppress(Exception):
            client.api.remove_image(image.tag, noprune=True)
