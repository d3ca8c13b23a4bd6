"""The steps and images that a change of a file would rebuild, and about how long that takes."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from layerstack.build.file_diff import printable
from layerstack.build.inputs import InputReader, Manifest
from layerstack.build.state import StateStore
from layerstack.build.step_seconds import StepSeconds
from layerstack.dockerfile import copy_sources
from layerstack.dockerfile.context import Context, contexts_of
from layerstack.dockerfile.dockerfile import find
from layerstack.dockerfile.image import Image, target_of
from layerstack.dockerfile.named_context import find_context
from layerstack.dockerfile.recipe_stage import RecipeLine, RecipeStage
from layerstack.engine.images import StoredImage, find_all
from layerstack.errors import StackError, UsageError
from layerstack.project.project import Project, find_reached_files
from layerstack.wording import short

SHOWN_CHARACTERS = 120


class AffectedStep(msgspec.Struct, frozen=True, rename={"is_certain": "certain"}):
    """One step that would run. `is_certain` is False when BuildKit may find that what it copies came out the same."""

    step: str
    why: str
    is_certain: bool
    seconds: float | None
    place: str


@dataclass(frozen=True)
class AffectedImage:
    """`unknown` says why its steps cannot be told before the change, for a file that defines the image."""

    image: str
    steps: tuple[AffectedStep, ...]
    unknown: str = ""

    @property
    def seconds_estimate(self) -> float | None:
        """Sum of the last known seconds; None when a step never ran here, or the steps are unknown."""
        known = [step.seconds for step in self.steps if step.seconds is not None]
        return round(sum(known), 3) if known and len(known) == len(self.steps) and not self.unknown else None

    def to_json(self) -> dict[str, Any]:
        return {
            "image": self.image,
            "steps": msgspec.to_builtins(list(self.steps)),
            "seconds_estimate": self.seconds_estimate,
            "unknown": self.unknown or None,
        }


@dataclass(frozen=True)
class Impact:
    """`reason` says why no image is rebuilt; empty when one is."""

    path: str
    images: tuple[AffectedImage, ...]
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "path": printable(self.path),
            "images": [image.to_json() for image in self.images],
            "seconds_estimate": self.seconds_estimate,
            "reason": self.reason or None,
        }

    @property
    def seconds_estimate(self) -> float | None:
        """Sum over the images; a step that images share counts once."""
        if any(image.seconds_estimate is None for image in self.images):
            return None
        steps = {step.place: step.seconds or 0.0 for image in self.images for step in image.steps}
        return round(sum(steps.values()), 3)


def find_impact(project: Project, paths: Sequence[str | Path]) -> list[Impact]:
    """One answer a path, absolute or relative to the project's root; a path need not exist yet.

    Raises UsageError for a folder, a path outside the project, or an unreadable Dockerfile or context.
    """
    if not paths:
        raise UsageError("impact needs a file.", "For example `invoke impact src/main.py`.")
    definitions = _definitions(project)
    relative = [_inside(project, definitions, path) for path in paths]
    images = project.with_parents(project.images)
    store = StateStore(project.root)
    digests = store.read_digests()
    reader = InputReader(project, os.environ.get("DOCKER_DEFAULT_PLATFORM", ""), digests)
    reader.find_external(images, _find_stored)
    # No identities are needed: only steps and their sources count here, and no digest.
    manifests = [(image, reader.read(image, {})) for image in images]
    store.write_digests(digests)
    seconds = StepSeconds(project.root)
    return [_Change(project, definitions, path, manifests, seconds).impact() for path in relative]


def _find_stored(references: Iterable[str]) -> Mapping[str, StoredImage]:
    # Without an engine nothing is found: the result then says what is unknown.
    try:
        return find_all(references)
    except StackError:
        return {}


def document(impacts: Sequence[Impact]) -> dict[str, Any]:
    """The JSON document of the task: all under `files`; for one file its answer at the top as well."""
    files = [impact.to_json() for impact in impacts]
    return {**(files[0] if len(files) == 1 else {}), "files": files}


def _inside(project: Project, definitions: Set[Path], path: str | Path) -> str:
    # Folders above are resolved, but not the file itself: a link is an input, too.
    absolute = Path(os.path.normpath(project.root / path))
    absolute = absolute.parent.resolve() / absolute.name
    is_known = _is_in_a_context(project, absolute) or absolute in definitions
    if not absolute.is_relative_to(project.root.resolve()) and not is_known:
        raise UsageError(f"{path} is outside the project {project.root} and its build contexts.")
    if absolute.is_dir() and not absolute.is_symlink():
        raise UsageError(f"{path} is a folder.", "Name files; one that does not exist yet is fine.")
    return os.path.relpath(absolute, project.root.resolve())


def _is_in_a_context(project: Project, path: Path) -> bool:
    contexts = (one for image in project.images.values() for one in _contexts(project, image).values())
    return any(path.is_relative_to(one.folder) for one in contexts)


def _definitions(project: Project) -> set[Path]:
    """The files that define the builds, with those that they include or extend, and their variables."""
    files = (*project.compose_files, *project.source_files, *project.bake_files, *project.env_files)
    values = find_reached_files(project.root, project.device).values
    return {path.resolve() for path in (*files, *values, project.root / ".env")}


def _contexts(project: Project, image: Image) -> dict[str, Context]:
    """Context name → context; "" is the build context."""
    found = contexts_of(project.root.resolve(), image)
    found = {name: replace(one, folder=one.folder.resolve()) for name, one in found.items()}
    return {name: one for name, one in found.items() if one.folder.is_dir()}


@dataclass(frozen=True)
class _Place:
    """Where the file stands in one context: `inner` is its path there, `ignored_by` the rule that keeps it out."""

    inner: str
    ignored_by: str


@dataclass(frozen=True)
class _Result:
    """Something that changes with the file, and whether it surely does."""

    words: str
    is_certain: bool


class _Change:
    """One file that changes, followed through stages and images; parents stand before their children."""

    def __init__(
        self,
        project: Project,
        definitions: Set[Path],
        path: str,
        manifests: Sequence[tuple[Image, Manifest]],
        seconds: StepSeconds,
    ) -> None:
        self._project = project
        self._definitions = definitions
        self._root = project.root.resolve()
        self._path = path
        self._file = Path(os.path.normpath(self._root / path))
        self._manifests = {image.name: (image, manifest) for image, manifest in manifests}
        self._places = {image.name: dict(self._places_in(image)) for image, _ in manifests}
        self._seconds = seconds
        self._unknown: dict[str, str] = {}
        # (image, stage) → whether its result surely changes; absent when it does not.
        self._changed: dict[tuple[str, str], bool] = {}

    def impact(self) -> Impact:
        affected = (self._affected(image, manifest) for image, manifest in self._manifests.values())
        found = tuple(one for one in affected if one)
        return Impact(self._path, found, "" if found else self._reason())

    def _places_in(self, image: Image) -> Iterator[tuple[str, _Place]]:
        for name, one in _contexts(self._project, image).items():
            if self._file.is_relative_to(one.folder):
                yield name, _place_in(self._root, one, self._file)

    def _affected(self, image: Image, manifest: Manifest) -> AffectedImage | None:
        steps = tuple(step for stage in manifest.stages for step in self._stage(image, manifest, stage))
        unknown = self._defines(image) or self._not_understood(image, manifest)
        # What a parent will be is unknown to all that is built on it.
        parents = (f"built on {name}: {self._unknown[name]}" for name in image.parents if self._unknown.get(name))
        self._unknown[image.name] = unknown = unknown or next(parents, "")
        return AffectedImage(image.name, steps, unknown) if steps or unknown else None

    def _not_understood(self, image: Image, manifest: Manifest) -> str:
        """Why the effect on an image is unknown: the builder gets the file, and its use is not fully understood."""
        is_sent = any(not place.ignored_by for place in self._places[image.name].values())
        return "; ".join(manifest.unknown) if is_sent else ""

    def _defines(self, image: Image) -> str:
        """Why the effect on an image is unknown: the file defines it, and any part may change."""
        dockerfile = find(Path(os.path.normpath(self._root / image.context / image.dockerfile)))
        if not image.definition.get("dockerfile-inline") and self._file == dockerfile:
            return "its Dockerfile: which instruction will change is unknown"
        contexts = _contexts(self._project, image).values()
        # One that is not there yet counts, too.
        rules = {one.ignore_file or one.folder / ".dockerignore" for one in contexts}
        if self._file in {*rules, Path(f"{dockerfile}.dockerignore")}:
            return "its ignore rules: which files they will let in is unknown"
        if self._file in self._definitions:
            return "the project's definition: what will change is unknown"
        return ""

    def _stage(self, image: Image, manifest: Manifest, stage: RecipeStage) -> Iterator[AffectedStep]:
        """The steps of a stage from the first that the change reaches."""
        base = self._result(image, stage.base)
        reached = _Result(f"built on {base.words}", base.is_certain) if base else None
        for line in stage.lines:
            own = self._own(image, line)
            # A certain reason replaces an uncertain one, and a later reason an equally certain one.
            if own and (reached is None or own.is_certain >= reached.is_certain):
                reached = own
            if reached and line.is_step:
                name = _name(manifest, stage, line)
                seconds = self._seconds.of(self._siblings(image), stage, line)
                place = f"{manifest.dockerfile}:{line.line}"
                yield AffectedStep(name, reached.words, reached.is_certain, seconds, place)
                # All steps that follow name the step that reads the file, not the one just before them.
                reached = _Result(f"after {name}", reached.is_certain) if reached is own else reached
        if reached:
            self._changed[image.name, stage.name.lower()] = reached.is_certain

    def _own(self, image: Image, line: RecipeLine) -> _Result | None:
        """Whether a line reads the file, or something that is made from it."""
        places = self._places[image.name]
        for source in line.sources:
            place = places.get(source.origin)
            if place and not place.ignored_by and copy_sources.read_by([place.inner], [source]):
                return _Result(f"reads {printable(self._path)}", True)
        results = (self._result(image, source.origin) for source in line.sources if source.origin)
        found = next((result for result in results if result), None)
        return found and _Result(f"reads from {found.words}: stays cached if that part comes out the same", False)

    def _result(self, image: Image, name: str) -> _Result | None:
        """The effect on the result of a stage or an image of the project."""
        # A named context takes precedence over a stage of the same name.
        value = find_context(image, name) or ""
        target = target_of(value)
        if not target:
            is_certain = None if value else self._changed.get((image.name, name.lower()))
            return None if is_certain is None else _Result(f"stage {name}", is_certain)
        parent, manifest = self._manifests[self._project.image(target).name]
        # The target stands last: stages after it are not read.
        is_certain = self._changed.get((parent.name, manifest.stages[-1].name.lower())) if manifest.stages else None
        return None if is_certain is None else _Result(f"image {parent.name}", is_certain)

    def _siblings(self, image: Image) -> Iterable[str]:
        """The image and the others of its Dockerfile."""
        # BuildKit names a shared step after any one of its images, and so does the history.
        same = (image.context, image.dockerfile)
        others = (one.name for one in self._project.images.values() if (one.context, one.dockerfile) == same)
        return dict.fromkeys((image.name, *others))

    def _reason(self) -> str:
        """Why nothing is rebuilt: excluded by a rule, read by no step, or in no context."""
        places = {name: place for name, found in self._places.items() for place in found.values()}
        if rules := dict.fromkeys(place.ignored_by for place in places.values() if place.ignored_by):
            return f"ignored by {'; '.join(rules)}"
        if excludes := dict.fromkeys(self._excludes()):
            return "; ".join(excludes)
        if places:
            return f"in the build context of {', '.join(places)}, but no step reads it"
        return "in no build context"

    def _excludes(self) -> Iterator[str]:
        """The `--exclude` options that keep the file from steps that would read it."""
        for image, manifest in self._manifests.values():
            places = self._places[image.name]
            for line in (line for stage in manifest.stages for line in stage.lines):
                for source in (source for source in line.sources if source.origin in places):
                    if pattern := copy_sources.excluding(places[source.origin].inner, source):
                        yield f"{manifest.dockerfile}:{line.line}: {line.keyword} leaves it out (--exclude={pattern})"


def _name(manifest: Manifest, stage: RecipeStage, line: RecipeLine) -> str:
    """Stage and instruction; the only stage of a Dockerfile has no name, as in BuildKit's output."""
    named = "" if len(manifest.stages) == 1 else stage.shown_name
    return f"{named} {short(' '.join(str(line).split()), SHOWN_CHARACTERS)}".strip()


def _place_in(root: Path, context: Context, file: Path) -> _Place:
    """Where a file stands in a context; one that is ignored may still bring a new folder above it that is not."""
    new = [file, *(one for one in file.parents if one.is_relative_to(context.folder) and not one.exists())]
    inner = [one.relative_to(context.folder).as_posix() for one in new]
    places = [_Place(one, _ignoring_rule(root, context, one)) for one in inner]
    return next((one for one in places if not one.ignored_by), places[0])


def _ignoring_rule(root: Path, context: Context, path: str) -> str:
    """`web/.dockerignore:3 (*.tmp)` for the rule that excludes a path from a context; "" for none."""
    number, text = context.rule_against(path)
    return f"{os.path.relpath(context.ignore_file, root)}:{number} ({text})" if number and context.ignore_file else ""
