"""Which images are fresh, which must be built, and why: decided without asking the builder."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from layerstack.build.file_diff import printable
from layerstack.build.inputs import InputReader, Manifest
from layerstack.build.state import ImageState, StateStore
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.recipe import find_context
from layerstack.engine import images
from layerstack.engine.images import StoredImage
from layerstack.project.project import Project

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
    is_forced: bool = False

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


def make_plan(
    project: Project, names: Sequence[str], store: StateStore, is_forced: bool = False, asks_registry: bool = False
) -> Plan:
    """Compare what each image is made of with the label on the image that is stored under its tag.

    Same digest, on the same parents, and the image is there: fresh, whatever became of BuildKit's cache. `is_forced`
    makes the named images and what is built on them stale, never what they are built on; `asks_registry` makes
    everything stale. Raises UsageError.
    """
    wanted = project.with_parents(names)
    digests = store.read_digests()
    reader = InputReader(project, os.environ.get("DOCKER_DEFAULT_PLATFORM", ""), digests)
    external = reader.external_images(wanted)
    stored = images.find_all((*external, *(image.tag for image in wanted)))
    ids = {reference: stored[reference].id for reference in external if reference in stored}
    forced = {project.image(name).name for name in names} if is_forced else set()
    planned: dict[str, PlannedImage] = {}
    for image in wanted:
        found = _planned(image, reader.read(image, ids), stored.get(image.tag), store)
        is_forced = image.name in forced or any(planned[name].is_forced for name in image.parents)
        asked = "forced" if is_forced else "asked for with --pull" if asks_registry else ""
        reason = asked or _staleness(found, planned)
        planned[image.name] = replace(
            found, is_fresh=not reason, reason=reason or "nothing changed", is_forced=is_forced
        )
    store.write_digests(digests)
    return Plan(tuple(planned.values()))


def explain(manifest: Manifest) -> list[tuple[str, str]]:
    """What the digest is made of, as (part, value) lines: for `--explain`."""
    lines = [
        ("digest", manifest.digest),
        ("dockerfile", manifest.dockerfile),
        ("target", manifest.target or "last stage"),
    ]
    lines += [("built on", f"{name} = {identity}") for name, identity in sorted(manifest.parents.items())]
    lines += [("setting", f"{name}={value}") for name, value in sorted(manifest.settings.items())]
    for stage in manifest.stages:
        lines.append(("stage", f"{stage.name} from {stage.base}"))
        lines += [("instruction", str(line).splitlines()[0]) for line in stage.lines]
    for name, files in manifest.files.items():
        shown = f"{name}:" if name else ""
        lines += [("file", f"{identity}  {shown}{printable(path)}") for path, identity in files.items()]
    return lines


def layers_identity(image: StoredImage | None) -> str:
    """A short name for all layers of an image; empty without one."""
    return hashlib.sha256("\n".join(image.layers).encode()).hexdigest()[:32] if image else ""


def parent_layers(one: PlannedImage, stored: Mapping[str, StoredImage], plan: Plan) -> dict[str, str]:
    """Parent → identity of its layers, for an image that was just built; `stored` maps tags to what is there now.

    A base is left out on whose layers the image does not stand: BuildKit went on with others that it still knew.
    """
    own, base = stored.get(one.image.tag), _base_of(one)
    found = {}
    for name in one.image.parents:
        parent = stored.get(plan.of(name).image.tag)
        if parent and own and (name != base or images.is_built_on(own, parent)):
            found[name] = layers_identity(parent)
    return found


def _planned(image: Image, manifest: Manifest, stored: StoredImage | None, store: StateStore) -> PlannedImage:
    last = store.read(image.tag)
    if last is None and stored and stored.labels.get(INPUTS_LABEL) == manifest.digest:
        # The record is lost, but the label says that the image was built from exactly this.
        last = ImageState(image.tag, manifest, stored.id)
        store.write(last)
    return PlannedImage(image, manifest, stored, last, is_fresh=True, reason="")


def _staleness(one: PlannedImage, parents: Mapping[str, PlannedImage]) -> str:
    """Why an image must be built; empty when it need not."""
    if one.stored is None:
        return "the image is not there"
    label = one.stored.labels.get(INPUTS_LABEL)
    if label is None:
        return "the image was built without layerstack"
    if label != one.manifest.digest:
        return "its inputs changed"
    if one.manifest.volatile:
        return one.manifest.volatile[0]
    own = [parents[name] for name in one.image.parents]
    return next((f"{parent.name} was built anew" for parent in own if _is_on_other_layers(one, parent)), "")


def _is_on_other_layers(one: PlannedImage, parent: PlannedImage) -> bool:
    """Whether a parent is or will be another image than the one that was built on, though its inputs are the same."""
    if not parent.is_fresh:
        return True
    if one.stored is None or parent.stored is None or one.last is None:
        return False
    recorded = one.last.parent_layers.get(parent.name) if one.last.image_id == one.stored.id else None
    if recorded:
        return recorded != layers_identity(parent.stored)
    return _base_of(one) == parent.name and not images.is_built_on(one.stored, parent.stored)


def _base_of(one: PlannedImage) -> str:
    """The image of the project that the final stage stands on; empty when it is another one."""
    manifest = one.manifest
    stage = manifest.stage(manifest.target) or (manifest.stages[-1] if manifest.stages else None)
    while stage and stage.is_on_stage:
        stage = manifest.stage(stage.base)
    value = (find_context(one.image, stage.base) or "") if stage else ""
    return value.removeprefix("target:") if value.startswith("target:") else ""
