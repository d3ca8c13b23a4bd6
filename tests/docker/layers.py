"""The project `layers` in a folder of a test's own, under tags of its own; nothing of it is left afterwards."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from layerstack import command
from layerstack.engine import engine
from layerstack.project import choices, project
from layerstack.project.project import Project
from layerstack.run.rehearsal import remove_all

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "projects" / "layers"


def system_image() -> str:
    """This machine's image of Node; `invoke setup` provides it."""
    return os.environ.get("NODE_IMAGE") or choices.read(ROOT).get("NODE_IMAGE") or "node:18-alpine"


@contextmanager
def layers(folder: Path, monkeypatch: pytest.MonkeyPatch, source: Path = SOURCE, **variables: str) -> Iterator[Project]:
    """The project, or the one in `source`, read from a copy below `folder`."""
    root = folder / "layers"
    shutil.copytree(source, root)
    # Whatever umask the checkout was made with.
    for path in root.rglob("*"):
        path.chmod(path.stat().st_mode & 0o755)
    tag = f"t{sha256(str(folder).encode()).hexdigest()[:10]}"
    settings = {"SYSTEM_IMAGE": system_image(), "TEST_TAG": tag, "COMPOSE_PROJECT_NAME": f"layerstack-test-{tag}"}
    for name, value in {**settings, **variables}.items():
        monkeypatch.setenv(name, value)
    found = project.load(root, "gpu")
    try:
        yield found
    finally:
        remove_all(found.name)
        remove_images(found)


def remove_images(found: Project) -> None:
    """All images of the project, tagged or not; the cache below them stays for the next test."""
    labelled = engine.client().images.list(filters={"label": f"layerstack.project={found.name}"})
    tags = {image.tag for image in found.images.values()} | {image.id for image in labelled}
    command.run(["docker", "image", "rm", "--force", *sorted(tags)])


def tree_digest(root: Path) -> str:
    """What a folder holds: names, modes, contents and times; the git-ignored state is left out."""
    digest = sha256()
    for path in sorted(root.rglob("*")):
        if ".layerstack" not in path.parts:
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            digest.update(repr((str(path), status.st_mode, status.st_mtime_ns, content)).encode())
    return digest.hexdigest()


def labels_of(reference: str) -> dict[str, Any]:
    """The labels of a stored image."""
    found: dict[str, Any] = engine.client().images.get(reference).labels
    return found
