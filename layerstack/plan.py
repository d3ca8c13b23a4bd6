"""Which images are fresh, which must be built, and why: decided without asking the builder."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from layerstack import images, inputs
from layerstack.images import StoredImage
from layerstack.inputs import InputReader, Manifest
from layerstack.project import Image, Project
from layerstack.state import ImageState, StateStore

INPUTS_LABEL = "layerstack.inputs"


@dataclass(frozen=True)
class PlannedImage:
    """One image: what it is made of now, what is stored under its tag, and what the last build left."""

    image: Image
    manifest: Manifest
    stored: StoredImage | None
    last: ImageState | None
    is_fresh: bool
    reason: str

    @property
    def name(self) -> str:
        return self.image.name


@dataclass(frozen=True)
class Plan:
    """All images of the request with their parents, parents first."""

    images: tuple[PlannedImage, ...]

    @property
    def fresh(self) -> tuple[PlannedImage, ...]:
        return tuple(one for one in self.images if one.is_fresh)

    @property
    def stale(self) -> tuple[PlannedImage, ...]:
        return tuple(one for one in self.images if not one.is_fresh)

    def of(self, name: str) -> PlannedImage:
        return next(one for one in self.images if one.name == name)


def make_plan(project: Project, names: Sequence[str], store: StateStore, is_forced: bool = False) -> Plan:
    """Compare what each image is made of with the label on the image that is stored under its tag.

    Same digest and the image is there: fresh, whatever became of BuildKit's cache. Raises UsageError.
    """
    wanted = project.with_parents(names)
    external = inputs.external_images(project, wanted)
    stored = images.find_all((*external, *(image.tag for image in wanted)))
    ids = {reference: stored[reference].id for reference in external if reference in stored}
    digests = store.read_digests()
    reader = InputReader(project, ids, os.environ.get("DOCKER_DEFAULT_PLATFORM", ""), digests)
    planned = tuple(_planned(image, reader, stored.get(image.tag), store, is_forced) for image in wanted)
    store.write_digests(digests)
    return Plan(planned)


def explain(manifest: Manifest) -> list[tuple[str, str]]:
    """What the digest is made of, as (part, value) lines: for `--explain`."""
    lines = [
        ("digest", manifest.digest),
        ("dockerfile", manifest.dockerfile),
        ("target", manifest.target or "last stage"),
    ]
    lines += [("argument", f"{name}={value}") for name, value in sorted(manifest.arguments.items())]
    lines += [("built on", f"{name} = {identity}") for name, identity in sorted(manifest.parents.items())]
    lines += [("step", f"{step.stage} {step.keyword} {step.text.splitlines()[0]}") for step in manifest.steps]
    lines += [("instruction", one) for one in manifest.other_instructions]
    return lines + [("file", f"{identity}  {name.removeprefix(':')}") for name, identity in manifest.files.items()]


def _planned(
    image: Image, reader: InputReader, stored: StoredImage | None, store: StateStore, is_forced: bool
) -> PlannedImage:
    manifest = reader.read(image)
    reason = _staleness(manifest, stored, is_forced)
    return PlannedImage(image, manifest, stored, store.read(image.tag), not reason, reason or "nothing changed")


def _staleness(manifest: Manifest, stored: StoredImage | None, is_forced: bool) -> str:
    if is_forced:
        return "forced"
    if stored is None:
        return "the image is not there"
    label = stored.labels.get(INPUTS_LABEL)
    if label is None:
        return "the image was built without layerstack"
    return "" if label == manifest.digest else "its inputs changed"
