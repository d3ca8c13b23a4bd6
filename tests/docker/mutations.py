"""The project `mutations` in a folder of a test's own, with words for editing it and for what a build then did."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from layers import layers

from layerstack.build import build as builder
from layerstack.build.build import BuildOptions
from layerstack.build.record import BuildRecord, StepRecord
from layerstack.build.state import StateStore
from layerstack.engine import engine
from layerstack.project import project
from layerstack.project.project import Project

SOURCE = Path(__file__).parent / "projects" / "mutations"


@dataclass
class Bench:
    """A copy of the project; a salt in the lowest image keeps its steps apart from those of other tests."""

    root: Path
    patch: pytest.MonkeyPatch

    def load(self) -> Project:
        return project.load(self.root, "gpu")

    @property
    def store(self) -> StateStore:
        return StateStore(self.root)

    def build(self, *names: str, **options: Any) -> BuildRecord:
        return builder.build(self.load(), names or ("app",), options=BuildOptions(**options), store=self.store)

    def path(self, name: str) -> Path:
        return self.root / name

    def write(self, name: str, text: str) -> None:
        self.path(name).write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = self.path(name).read_text()
        assert text.count(old) == 1
        self.path(name).write_text(text.replace(old, new))

    def set(self, name: str, value: str) -> None:
        """An environment variable of the Compose and bake files."""
        self.patch.setenv(name, value)


@contextmanager
def mutations(folder: Path, patch: pytest.MonkeyPatch, **variables: str) -> Iterator[Bench]:
    """The project below `folder`, under tags of its own."""
    with layers(folder, patch, SOURCE, **variables) as found:
        bench = Bench(found.root, patch)
        bench.write("low/salt", uuid.uuid4().hex)
        yield bench


def audit_tags(pid: int) -> set[str]:
    """The tags to throw away of the process with that PID: another worker of these tests has its own."""
    # Without asking for each image: the other worker may remove one meanwhile.
    found = engine.client().api.images(filters={"reference": "layerstack-audit/*"})
    return {tag for image in found for tag in image["RepoTags"] or () if f".{pid}." in tag}


def causes(result: BuildRecord) -> dict[str, str]:
    """`image: stage INSTRUCTION words` → kind of cause, for every executed step."""
    return {
        f"{image.image}: {_without_number(step)}": str(step.cause.kind)
        for image in result.images
        for step in image.steps
        if step.cause
    }


def details(result: BuildRecord) -> str:
    """All causes in words, one a line."""
    return "\n".join(str(step.cause) for image in result.images for step in image.steps if step.cause)


def _without_number(step: StepRecord) -> str:
    return re.sub(r"(^| )\d+/\d+ ", r"\1", " ".join(step.step.split()), count=1)
