"""Images that a project is built on though nothing declares it: other services' images, and Dockerfiles in the tree.

A `FROM` (or `COPY --from`) belongs to the project when its reference is a tag of one of its images, or when it has no
tag of its own (or `:latest`) and a folder with a Dockerfile ends like it: `base-node` is `docker/base-node/Dockerfile`.
A folder that a service is built from produces the service's image and no other; a Dockerfile that is itself built on
an image of that name does not produce it.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from layerstack.dockerfile import copy_sources
from layerstack.dockerfile.image import Image, read_image
from layerstack.dockerfile.recipe import Recipe, find_context, read_recipe
from layerstack.errors import UsageError
from layerstack.state_folder import read_text, state_folder, write_atomically

DEEPEST_FOLDER = 4
PASSED_OVER = {"node_modules", "venv", "vendor", "dist", "__pycache__"}
IMAGE_CONTEXT = "docker-image://"
_OWN_NAME = re.compile(r"^Dockerfile\.(?P<after>[\w-]+)$|^(?P<before>[\w-]+)\.Dockerfile$")


@dataclass(frozen=True)
class Discovery:
    """`definitions` is what bake must be told besides the project's own files: target → part of its definition."""

    images: Mapping[str, Image]
    definitions: Mapping[str, Mapping[str, Any]]

    def write(self, root: Path) -> Path | None:
        """A bake file below the state folder; None when there is nothing to tell.

        The name follows from the content: two runs for two devices never read each other's.
        """
        if not self.definitions:
            return None
        text = json.dumps({"target": self.definitions}, indent=2, sort_keys=True)
        path = state_folder(root) / f"found-images-{sha256(text.encode()).hexdigest()[:12]}.json"
        if read_text(path) != text and not write_atomically(path, text):
            raise UsageError(f"What the images are built on cannot be written to {path}.")
        return path


def discover(root: Path, images: Mapping[str, Image]) -> Discovery:
    """All images, each with a `target:` context for everything of the project that it is built on.

    Raises UsageError when two Dockerfiles produce the same tag.
    """
    search = _Search(root, dict(images))
    waiting = list(images.values())
    while waiting:
        waiting += search.link(waiting.pop(0))
    return Discovery(search.images, search.definitions)


@dataclass(frozen=True)
class _Producer:
    """A Dockerfile in the tree; `words` are the parts of the path that an image may be named after."""

    words: tuple[str, ...]
    folder: str
    path: str

    def is_named(self, repository: str) -> bool:
        wanted = tuple(repository.split("/"))
        return bool(self.words) and self.words[-len(wanted) :] == wanted


@dataclass
class _Search:
    root: Path
    images: dict[str, Image]
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._targets = {_full(tag): image.name for image in self.images.values() for tag in image.tags}
        self._declared = {_dockerfile(self.root, image) for image in self.images.values()}

    def link(self, image: Image) -> list[Image]:
        """Wire one image to what it is built on; returns the images that were found for it."""
        before = set(self.images)
        found = {name: target for name in self._parents(image) if (target := self._target(image, name))}
        contexts = {name.removesuffix(":latest"): f"target:{target}" for name, target in found.items()}
        if contexts:
            definition = {**image.definition, "contexts": {**image.contexts, **contexts}}
            self.images[image.name] = read_image(image.name, definition, image.tags)
            self.definitions.setdefault(image.name, {})["contexts"] = contexts
        return [self.images[name] for name in self.images if name not in before]

    def _parents(self, image: Image) -> tuple[str, ...]:
        try:
            return read_recipe(self.root, image).parents
        except UsageError:
            return ()  # the build of this image says what is wrong with its Dockerfile

    def _target(self, image: Image, name: str) -> str | None:
        """The image of the project behind a name in a Dockerfile; None when it is not one, or the image itself."""
        value = find_context(image, name) or IMAGE_CONTEXT + name
        if not value.startswith(IMAGE_CONTEXT) or "$" in value:
            return None
        reference = value.removeprefix(IMAGE_CONTEXT)
        found = self._targets.get(_full(reference)) or self._add(reference.removesuffix(":latest"))
        return found if found != image.name else None

    def _add(self, repository: str) -> str | None:
        """A new image for a tag that a Dockerfile in the tree produces."""
        if ":" in repository or "@" in repository:
            return None
        producers = [one for one in self._producers if one.is_named(repository) and self._produces(one, repository)]
        if not producers:
            return None
        if len(producers) > 1:
            paths = " and ".join(one.path for one in producers)
            raise UsageError(f"{repository} may be either of {paths}.", "Declare the right one in docker-bake.hcl.")
        name = self._free_name(repository)
        definition = {**_build_of(self.root, producers[0]), "tags": [f"{repository}:latest"]}
        self.images[name] = read_image(name, definition)
        self.definitions[name] = definition
        self._targets[_full(repository)] = name
        return name

    def _produces(self, one: _Producer, repository: str) -> bool:
        if self.root / one.path in self._declared:
            return False
        bases = self._parents(read_image(repository, {"context": one.folder, **_placed(one)}))
        return repository not in {_full(base).rpartition(":")[0] for base in bases}

    def _free_name(self, repository: str) -> str:
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", repository)
        while name in self.images:
            name += "-base"
        return name

    @cached_property
    def _producers(self) -> tuple[_Producer, ...]:
        return tuple(_dockerfiles(self.root))


def _full(reference: str) -> str:
    """A reference with its tag."""
    name = reference.removeprefix("docker.io/").removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"


def _dockerfile(root: Path, image: Image) -> Path | None:
    """Where the Dockerfile of an image stands; None inside another file or on another machine."""
    if image.definition.get("dockerfile-inline") or copy_sources.is_remote(image.context):
        return None
    return Path(os.path.normpath(root / image.context / image.dockerfile))


def _dockerfiles(root: Path) -> Iterator[_Producer]:
    """Every Dockerfile in the tree, in path order."""
    for folder, folders, files in os.walk(root):
        parts = Path(folder).relative_to(root).parts
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in PASSED_OVER)
        if len(parts) >= DEEPEST_FOLDER:
            folders.clear()
        for file in sorted(files):
            own = _OWN_NAME.match(file)
            words = (*parts, own["after"] or own["before"]) if own else parts
            if own or file == "Dockerfile":
                yield _Producer(words, "/".join(parts) or ".", "/".join((*parts, file)))


def _placed(one: _Producer) -> dict[str, str]:
    return {"dockerfile": os.path.relpath(one.path, one.folder)}


def _build_of(root: Path, one: _Producer) -> dict[str, str]:
    """Context and Dockerfile: the Dockerfile's folder, or the root when only there is what it copies."""
    own = {"context": one.folder, **_placed(one)}
    copied = list(_copied(read_recipe(root, read_image("", own))))
    is_in = [all((root / folder / path).exists() for path in copied) for folder in (one.folder, ".")]
    return own if is_in[0] or not is_in[1] else {"context": ".", "dockerfile": one.path}


def _copied(recipe: Recipe) -> Iterable[str]:
    """Paths of the build context that the Dockerfile names without a pattern."""
    sources = (source for stage in recipe.stages for line in stage.lines for source in line.sources)
    paths = (source.pattern.lstrip("/") for source in sources if not source.origin)
    return (path for path in paths if not re.search(r"[*?\[\\]", path))
