"""Leftovers of killed tasks on this machine: folders, images and containers whose owner is gone."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from layerstack.engine import abandoned_images, engine, image_tree, images
from layerstack.project.project import Project
from layerstack.run import rehearsal
from layerstack.temporary_folder import abandoned_folders


@dataclass(frozen=True)
class Leftovers:
    """Folders of this machine; tags or ids of images; names of copies of the stack; ids of containers."""

    folders: tuple[Path, ...] = ()
    images: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, for a listing."""
        return (*map(str, self.folders), *self.images, *self.stacks, *self.containers)


def find_leftovers(project: Project) -> Leftovers:
    """The leftovers of all projects; copies of the stack only of this one. Raises EngineError."""
    return Leftovers(
        tuple(abandoned_folders()),
        abandoned_images.find_abandoned(),
        rehearsal.find_leftovers(project),
        tuple(image_tree.find_abandoned(engine.client())),
    )


def remove_leftovers(leftovers: Leftovers) -> None:
    """Remove them: the containers before the images that they run. Raises EngineError."""
    for folder in leftovers.folders:
        # A folder of another user stays, without an error.
        shutil.rmtree(folder, ignore_errors=True)
    for name in leftovers.stacks:
        rehearsal.remove_all(name)
    image_tree.remove_containers(engine.client(), leftovers.containers)
    images.remove(leftovers.images)
