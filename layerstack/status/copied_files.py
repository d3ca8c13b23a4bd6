"""Where COPY puts the files of the working tree in an image, and whether they are the same there."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import Path, PurePosixPath

from layerstack.build.inputs import Manifest
from layerstack.dockerfile import copy_sources, ignore_rules
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.recipe_stage import RecipeLine
from layerstack.engine.client import EngineClient
from layerstack.engine.files import read_file
from layerstack.errors import RefusedByEngine
from layerstack.status.input_changes import place

# Each is a request to the engine.
MOST_READ = 20
MOST_BYTES = 4 << 20
# What these do with paths is not followed here.
_UNFOLLOWED = ("--parents", "--exclude")


@dataclass
class ContainerFiles:
    """Files of the project as a container has them from its image; without a container only their places.

    Reads at most MOST_READ, of at most MOST_BYTES each. `find_folder` tells the working directory of an image that a
    stage is built on.
    """

    client: EngineClient
    container_id: str
    image: Image
    manifest: Manifest
    root: Path
    find_folder: Callable[[str], str]
    _places: Mapping[str, set[str]] | None = None
    _count: int = 0

    def places(self, name: str) -> Set[str]:
        """The image's paths of a file of the project; none when unknown."""
        if self._places is None:
            self._places = find_places(self.image, self.manifest, self.find_folder)
        return self._places.get(name, frozenset())

    def holds(self, name: str) -> bool | None:
        """Whether the container has the current content of a file of the project; None if unknown."""
        own, paths = self.root / name, sorted(self.places(name))
        if not self.container_id or not paths or self._count >= MOST_READ or own.is_symlink():
            return None
        try:
            content = own.read_bytes() if own.stat().st_size <= MOST_BYTES else None
        # Gone meanwhile, or not for this user to read.
        except OSError:
            content = None
        if content is None:
            return None
        self._count += 1
        try:
            return all(read_file(self.client, self.container_id, path, MOST_BYTES) == content for path in paths)
        # The source of a mount is gone, and opening the container would create a folder in its place.
        except RefusedByEngine:
            return None


def find_places(image: Image, manifest: Manifest, find_folder: Callable[[str], str]) -> dict[str, set[str]]:
    """File of the project → its places in the final stage."""
    stages: dict[str, _Stage] = {}
    last = _Stage(PurePosixPath("/"))
    for stage in manifest.stages:
        base = stages.get(stage.base) if stage.is_on_stage else None
        folder = base.folder if base else PurePosixPath("/", find_folder(stage.base))
        last = _Stage(folder, {name: set(paths) for name, paths in base.places.items()} if base else {})
        for line in stage.lines:
            if line.keyword == "WORKDIR":
                last.folder = _moved(last.folder, line.text.strip().strip("\"'"))
            elif line.keyword in ("COPY", "ADD"):
                for name, path in _copied(line, last.folder, image, manifest, stages):
                    last.places.setdefault(name, set()).add(path)
        stages[stage.name] = last
    return last.places


@dataclass
class _Stage:
    """`folder` is its working directory, None where a variable decides it.

    `places` are the paths of files of the project in it.
    """

    folder: PurePosixPath | None
    places: dict[str, set[str]] = field(default_factory=dict)


def _moved(folder: PurePosixPath | None, path: str) -> PurePosixPath | None:
    """The folder to which a path leads; None where that is not known."""
    if "$" in path or (folder is None and not path.startswith("/")):
        return None
    return PurePosixPath(normpath((folder or PurePosixPath("/")) / path))


def _copied(
    line: RecipeLine, folder: PurePosixPath | None, image: Image, manifest: Manifest, stages: Mapping[str, _Stage]
) -> Iterator[tuple[str, str]]:
    """(file of the project, path in the image) of everything that a COPY copies."""
    words = _words(line.text)
    # A path with a variable would have to be filled in as the build does it: its files count as unknown.
    if len(words) < 2 or "$" in line.text or any(word.startswith(_UNFOLLOWED) for word in line.text.split()):
        return
    target = _moved(folder, words[-1])
    if target is None:
        return
    # COPY makes a folder of its destination where that ends in a slash or where it has several sources.
    is_folder = words[-1].endswith(("/", ".")) or len(words) > 2 or target == folder
    origin = next((source.origin for source in line.sources), "")
    here = _files(origin, image, manifest, stages)
    for pattern in (normpath(f"/{word}").lstrip("/") or "." for word in words[:-1]):
        for path in copy_sources.covered(here, [pattern]):
            rest = _below(path, pattern)
            shown = target / rest if rest else target / PurePosixPath(path).name if is_folder else target
            yield here[path], str(shown)


def _files(origin: str, image: Image, manifest: Manifest, stages: Mapping[str, _Stage]) -> dict[str, str]:
    """Path in the source of a COPY → file of the project."""
    if origin in stages:
        return {path.lstrip("/"): name for name, paths in stages[origin].places.items() for path in paths}
    files = manifest.files.get(origin, {})
    return {path: place(image, origin, path) for path, identity in files.items() if not identity.endswith(" dir")}


def _below(path: str, pattern: str) -> str:
    """The part of a path below the folder that a pattern names; "" when it names the file itself."""
    if pattern == ".":
        return path
    if path == pattern or ignore_rules.wildcard(pattern).match(path):
        return ""
    return "/".join(path.split("/")[pattern.count("/") + 1 :])


def _words(text: str) -> list[str]:
    """Sources and destination of a COPY, without its flags."""
    words = text.split()
    plain = " ".join(words[len([word for word in words if word.startswith("--")]) :])
    if plain.startswith("["):
        try:
            return [str(word) for word in json.loads(plain)]
        except ValueError:
            pass  # BuildKit takes what is not JSON as words, too
    return plain.split()


def known(names: Iterable[str], holds: Callable[[str], bool | None]) -> dict[bool | None, list[str]]:
    """The names by what `holds` says of them."""
    found: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for name in names:
        found[holds(name)].append(name)
    return found
