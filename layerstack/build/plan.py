"""Whether each image is unchanged since its last build, by our own reading, and why.

BuildKit decides what is built. This explains (`why`, `status`), and decides for an image of which BuildKit has lost the
records.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from layerstack.build.file_diff import printable
from layerstack.build.inputs import ABSENT, InputReader, Manifest, unreadable
from layerstack.build.state import ExternalImage, ImageState, StateStore
from layerstack.dockerfile.image import Image, target_of
from layerstack.dockerfile.named_context import find_context
from layerstack.dockerfile.recipe_stage import layers_of
from layerstack.dockerfile.references import familiar
from layerstack.engine import images
from layerstack.engine.images import StoredImage
from layerstack.errors import UsageError
from layerstack.project.project import Project
from layerstack.registry.origin import INPUTS_LABEL

_NOT_KNOWN = "not known before a build: "


@dataclass(frozen=True)
class PlannedImage:
    """One image: what it is made of now, what is stored under its tag, and how it was last built.

    `last` is the build of the stored image where that is known, else the last build of the tag here. `is_fresh` says
    that what is stored was made of what is here now; `reason` says why not. `externals` are the images from outside
    that it is made of, by reference.
    """

    image: Image
    manifest: Manifest
    stored: StoredImage | None
    last: ImageState | None
    is_fresh: bool = False
    reason: str = ""
    is_base: bool = False
    externals: Mapping[str, StoredImage] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.image.name

    @property
    def is_recorded(self) -> bool:
        """Whether it is known how the stored image was built."""
        return bool(self.stored and self.last and self.last.image_id == self.stored.id)

    @property
    def is_unknown(self) -> bool:
        """Whether it takes a build to say if the stored image is what is here now."""
        return self.reason.startswith(_NOT_KNOWN)

    @property
    def made_of(self) -> str:
        """Digest of the inputs that the stored image was made of; empty when that is not known."""
        if self.is_recorded and self.last:
            return self.last.manifest.digest
        # A base from another machine has a label but no record. A service inherits the label of its base.
        return self.stored.labels.get(INPUTS_LABEL, "") if self.stored and self.is_base else ""


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


def make_plan(project: Project, names: Sequence[str], store: StateStore) -> Plan:
    """Compare what each image is made of now with what the stored one was made of. Raises UsageError, EngineError."""
    return Planner(project, store).plan(names)


class Planner:
    """Reads manifests and stored images of one project once, however often it is asked."""

    def __init__(
        self,
        project: Project,
        store: StateStore,
        stored: Mapping[str, StoredImage] | None = None,
        began_ns: int = 0,
    ) -> None:
        """`stored` is what the project's tags name, where that was read before; `began_ns` when its build began."""
        self._project = project
        self._store = store
        self._stored = stored
        self._digests = store.read_digests()
        self._reader = InputReader(project, os.environ.get("DOCKER_DEFAULT_PLATFORM", ""), self._digests, began_ns)

    def plan(self, names: Sequence[str]) -> Plan:
        """The named images and their parents. Raises EngineError; what cannot be read is `unknown` in its manifest."""
        wanted = self._project.with_parents(names)
        tags = () if self._stored is not None else (tag for image in wanted for tag in image.names)
        stored = {**(self._stored or {}), **images.find_all(tags)}
        lasts = {image.name: self._last(image, stored) for image in wanted}
        gone = {reference: one for last in lasts.values() if last for reference, one in last.externals.items()}
        external = self._reader.find_external(list(filter(self._is_readable, wanted)), partial(_find_external, gone))
        identities = {reference: one.identity for reference, one in external.items()}
        bases = {image.name for image in self._project.base_images}
        planned: dict[str, PlannedImage] = {}
        for image in wanted:
            manifest = self._read(image, identities)
            found = PlannedImage(
                image=image,
                manifest=manifest,
                stored=stored.get(image.tag),
                last=lasts[image.name],
                is_base=image.name in bases,
                externals={name: external[name] for name in map(familiar, manifest.parents) if name in external},
            )
            reason = _staleness(found, planned, stored)
            planned[image.name] = replace(found, is_fresh=not reason, reason=reason)
        self._store.write_digests(self._digests)
        return Plan(tuple(planned.values()))

    def _is_readable(self, image: Image) -> bool:
        try:
            self._reader.external_images([image])
        # BuildKit may accept what our reading refuses; if not, it reports the error with its line.
        except UsageError:
            return False
        return True

    def _read(self, image: Image, identities: Mapping[str, str]) -> Manifest:
        try:
            return self._reader.read(image, identities)
        except UsageError as error:
            return unreadable(image, str(error.args[0]))

    def _last(self, image: Image, stored: Mapping[str, StoredImage]) -> ImageState | None:
        own = self._store.of_image(stored[image.tag].id) if image.tag in stored else None
        return own or self._store.last_of(image.tag)


def absent_parents(project: Project) -> tuple[str, ...]:
    """Images from outside that the project's images are built on, and that are not on this engine."""
    plan = make_plan(project, list(project.images), StateStore(project.root))
    parents = (identity for one in plan.images for identity in one.manifest.parents.values())
    return tuple(sorted({text.removeprefix(ABSENT) for text in parents if text.startswith(ABSENT)}))


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


def parent_layers(planned: PlannedImage, stored: Mapping[str, StoredImage], plan: Plan) -> dict[str, str]:
    """Parent → identity of its layers, for an image that was just built; `stored` maps tags to what is there now.

    A base is left out on whose layers the image does not stand: BuildKit went on with others that it still knew.
    """
    own, base = stored.get(planned.image.tag), _base_of(planned)
    found = {}
    for name in planned.image.parents:
        parent = stored.get(plan.of(name).image.tag)
        if parent and own and (name != base or images.is_built_on(own, parent)):
            found[name] = layers_identity(parent)
    return found


def _find_external(gone: Mapping[str, ExternalImage], references: Iterable[str]) -> dict[str, StoredImage]:
    """Images from outside. One that is no longer here counts as the one that was built on: nothing tells that it
    changed."""
    wanted = list(references)
    here = images.find_valid(wanted)
    before = {name: gone[name] for name in wanted if name in gone and name not in here}
    # Layers and configuration are all that its identity needs.
    return {**{name: StoredImage("", (), 0, "", {}, one.layers, one.config) for name, one in before.items()}, **here}


def _staleness(planned: PlannedImage, parents: Mapping[str, PlannedImage], stored: Mapping[str, StoredImage]) -> str:
    """Why the stored image is not what a build would make; "" when it is."""
    if planned.stored is None:
        return "the image does not exist"
    # A tag that was added to the definition exists only after a build.
    if other := next(
        (tag for tag in planned.image.tags if tag not in stored or stored[tag].id != planned.stored.id), ""
    ):
        return f"the tag {other} does not exist" if other not in stored else f"the tag {other} names another image"
    return _doubts(planned) or next(
        filter(None, (_doubt_below(planned, parents[name]) for name in planned.image.parents)), ""
    )


def _doubts(planned: PlannedImage) -> str:
    """Why an image may differ from the current files."""
    if not planned.made_of:
        return "there is no record of its build, so its inputs are unknown"
    # Checked before the digests, which say nothing where the manifest is incomplete.
    if planned.manifest.unknown:
        return f"{_NOT_KNOWN}{planned.manifest.unknown[0]}"
    if planned.made_of != planned.manifest.digest:
        return "its inputs changed"
    # Equal inputs prove nothing if a step may fetch something else each time.
    return planned.manifest.volatile[0] if planned.manifest.volatile else ""


def _doubt_below(planned: PlannedImage, parent: PlannedImage) -> str:
    """Why a parent may differ from the one that the image was built on, despite equal inputs."""
    if parent.is_unknown:
        return f"{_NOT_KNOWN}{parent.name} below it: {parent.reason.removeprefix(_NOT_KNOWN)}"
    return f"{parent.name} was rebuilt" if _is_on_other_layers(planned, parent) else ""


def _is_on_other_layers(planned: PlannedImage, parent: PlannedImage) -> bool:
    """Whether a parent differs from the one that the image was built on, despite equal inputs."""
    if not parent.is_fresh:
        return True
    if planned.stored is None or parent.stored is None or planned.last is None:
        return False
    recorded = planned.last.parent_layers.get(parent.name) if planned.is_recorded else None
    if recorded:
        return recorded != layers_identity(parent.stored)
    # The layers do not show which image was copied from, only which one is the base.
    return _base_of(planned) == parent.name and not images.is_built_on(planned.stored, parent.stored)


def _base_of(planned: PlannedImage) -> str:
    """The image of the project that the final stage is built on; "" for another one."""
    chain = layers_of(planned.manifest.stages)
    return target_of(find_context(planned.image, chain[0].base) or "") if chain else ""
