"""Images that the project is built on although no bake or Compose file declares them.

A `FROM` (or `COPY --from`) belongs to the project when its reference is a tag of one of its images, or when a file of
the project holds the `docker build` line that makes it (`build_commands`). Any other name is what Docker makes of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerstack.dockerfile.image import Image
from layerstack.dockerfile.named_context import find_context
from layerstack.dockerfile.recipe import read_recipe
from layerstack.dockerfile.references import familiar
from layerstack.errors import UsageError
from layerstack.project.image_name import full_name, has_tag
from layerstack.project.targets import read_target

if TYPE_CHECKING:
    from layerstack.project.build_commands import BuildCommand

IMAGE_CONTEXT = "docker-image://"


def discover(root: Path, images: Mapping[str, Image]) -> dict[str, Image]:
    """All images, each with a `target:` context for every parent in the project."""
    search = _Search(root, dict(images))
    waiting = list(images.values())
    while waiting:
        waiting += search.link(waiting.pop(0))
    return search.images


@dataclass
class _Search:
    root: Path
    images: dict[str, Image]

    def __post_init__(self) -> None:
        self._targets = {full_name(tag): image.name for image in self.images.values() for tag in image.tags}

    def link(self, image: Image) -> list[Image]:
        """Connect one image to its parents; returns the images that were found for it."""
        before = set(self.images)
        found = {name: target for name in self._parents(image) if (target := self._target(image, name))}
        # Without `:latest`: in Buildx 0.29 the key `base` matches `FROM base` and `FROM base:latest`, the key
        # `base:latest` matches neither.
        contexts = {familiar(name): f"target:{target}" for name, target in found.items()}
        if contexts:
            definition = {**image.definition, "contexts": {**image.definition.get("contexts", {}), **contexts}}
            self.images[image.name] = read_target(self.root, image.name, definition, image.tag)
        return [self.images[name] for name in self.images if name not in before]

    def _parents(self, image: Image) -> tuple[str, ...]:
        try:
            return read_recipe(self.root, image).parents
        except UsageError:
            return ()  # the build of this image says what is wrong with its Dockerfile

    def _target(self, image: Image, name: str) -> str | None:
        """The image of the project that a name in a Dockerfile means; None for others and for the image itself."""
        value = find_context(image, name) or IMAGE_CONTEXT + name
        if not value.startswith(IMAGE_CONTEXT) or "$" in value:
            return None
        reference = value.removeprefix(IMAGE_CONTEXT)
        found = self._targets.get(full_name(reference)) or self._add(reference)
        return found if found != image.name else None

    def _add(self, reference: str) -> str | None:
        """A new image for a tag that a command of the project makes; None without one, or with two that differ."""
        commands = self._commands.get(full_name(reference), ())
        if len({command.made for command in commands}) != 1:
            return None
        name = self._free_name(familiar(reference))
        image = read_target(self.root, name, _definition(commands[0], reference), full_name(reference))
        if full_name(reference) in map(full_name, self._parents(image)):
            return None  # made from the image of that name: there is another one, elsewhere
        self.images[name] = image
        self._targets[full_name(reference)] = name
        return name

    def _free_name(self, reference: str) -> str:
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", reference)
        # The name may be that of a service, whose target keeps it.
        while name in self.images:
            name += "-base"
        return name

    @cached_property
    def _commands(self) -> "dict[str, tuple[BuildCommand, ...]]":
        from layerstack.project.build_commands import find_build_commands

        found: dict[str, tuple[BuildCommand, ...]] = {}
        for command in find_build_commands(self.root):
            for tag in command.tags:
                found[full_name(tag)] = (*found.get(full_name(tag), ()), command)
        return found


def _definition(command: "BuildCommand", reference: str) -> dict[str, Any]:
    tag = reference if has_tag(reference) else full_name(reference)
    wanted = {"target": command.target, "args": dict(command.args)}
    return {
        "context": command.context,
        "dockerfile": command.dockerfile,
        **{key: value for key, value in wanted.items() if value},
        "tags": [tag],
        "output": [{"type": "docker"}],
    }
