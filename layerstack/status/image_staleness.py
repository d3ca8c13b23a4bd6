"""Changes of the working tree that an image lacks: sources, dependencies, instructions, parents."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from os.path import normpath
from pathlib import Path

from layerstack.build.plan import Plan, PlannedImage, layers_identity, parent_layers
from layerstack.dockerfile.named_context import find_context
from layerstack.moment import epoch_seconds, written_at
from layerstack.status.copied_files import ContainerFiles, known
from layerstack.status.input_changes import InputChanges, identities
from layerstack.status.mounted_files import BindMount, is_seen
from layerstack.status.staleness import Kind, Stale
from layerstack.wording import listed

ABSENT = "not on this machine"


@dataclass(frozen=True)
class ImageStaleness:
    """One image under its tag, compared with what the plan says that it would be made of now.

    `binds` are the mounts of the container that runs it: what it sees through them is never stale in its image.
    `files` are those that the container has of its image.
    """

    one: PlannedImage
    plan: Plan
    root: Path
    binds: Sequence[BindMount] = ()
    files: ContainerFiles | None = None

    @property
    def made_of(self) -> str:
        """Digest of what the image under the tag was made of; empty when that is not known."""
        return self.one.made_of

    def find(self) -> list[Stale]:
        """Every reason to build it again, the nearest first."""
        if self.one.stored is None:
            return [Stale("image-missing", f"there is no image {self.one.image.tag}", "build")]
        if not self.made_of:
            return [*self._newer_files(), *self._rebuilt_below()]
        if self.made_of == self.one.manifest.digest:
            return list(self._rebuilt_below())
        if self.changes is None:
            return [*self._unrecorded(), *self._rebuilt_below()]
        found = [*self._own(self.changes), *self._below(self.changes), *self._rebuilt_below()]
        is_explained = found or self.changes.seen or self.changes.parents()
        return found if is_explained else [Stale("recipe-changed", "other definition of the image", "build")]

    def unknown(self) -> list[str]:
        """What cannot be compared, in words."""
        found = []
        if self.one.stored and not self.made_of:
            found.append("there is no record of the image's build: only files written since then were compared")
        return [*found, *self.one.manifest.unknown, *self.one.manifest.volatile]

    def notes(self, built_from: str) -> list[str]:
        """Remarks that are no reason to act; `built_from` is what the container's image was made of."""
        now = self.one.manifest.digest
        if built_from == now and self.made_of not in ("", now):
            tag, name = self.one.image.tag, self.one.name
            return [f"{tag} holds a build of something else: before `invoke up` type `invoke build {name}`"]
        seen = self.changes.seen if self.changes and self.made_of != now else ()
        return [f"the image is behind {listed(seen)}; the container sees it through a mount"] if seen else []

    @cached_property
    def changes(self) -> InputChanges | None:
        """None where no record tells what the image was built from."""
        last = self.one.last
        if last is None or last.manifest.digest != self.made_of:
            return None
        return InputChanges(self.one.image, self.root, last.manifest, self.one.manifest, self.binds, self._places)

    def _places(self, name: str) -> Set[str]:
        return self.files.places(name) if self.files else frozenset()

    def _own(self, changes: InputChanges) -> Iterator[Stale]:
        if unseen := changes.unseen():
            yield Stale("source-changed", "; ".join(unseen), "build")
        if installed := changes.installed():
            detail = f"{listed(installed)} changed; the image still holds the old packages"
            yield Stale("dependencies-changed", detail, "build")
        if compiled := changes.compiled():
            detail = f"{listed(compiled)} changed and is mounted, but what a build step made of it is not"
            yield Stale("source-changed", detail, "build", is_certain=False)
        if instructions := changes.instructions():
            yield Stale("recipe-changed", f"{self.one.image.dockerfile_place}: {', '.join(instructions)}", "build")

    def _below(self, changes: InputChanges) -> Iterator[Stale]:
        """The parents of an image whose inputs changed."""
        for name, (before, now) in changes.parents().items():
            value = find_context(self.one.image, name) or f"docker-image://{name}"
            if value.startswith("target:"):
                yield self._of_parent(value.removeprefix("target:"))
            # A system image that was removed is no change: what is built on it has its layers.
            elif ABSENT not in before and ABSENT not in now:
                yield Stale("system-image-changed", f"{name} is a different image now", "build")

    def _of_parent(self, name: str) -> Stale:
        parent = self.plan.of(name)
        if parent.is_fresh:
            return _rebuilt(name)
        reasons = ImageStaleness(parent, self.plan, self.root).find()
        return Stale("base-behind", f"{name} below it: {reasons[0].detail if reasons else parent.reason}", "build")

    def _rebuilt_below(self) -> Iterator[Stale]:
        """Bases that were rebuilt from the current files, while this image still has their old layers."""
        changed = self.changes.parents() if self.changes else {}
        named = {(find_context(self.one.image, name) or "").removeprefix("target:") for name in changed}
        for name in self.one.image.parents:
            parent = self.plan.of(name)
            # A base whose inputs changed is reported by `_below`.
            if name in named or parent.stored is None:
                continue
            is_of_now = parent.made_of in ("", parent.manifest.digest)
            if is_of_now and self._stands_on_other(parent):
                yield _rebuilt(name)
            elif below := list(ImageStaleness(parent, self.plan, self.root)._rebuilt_below()):
                yield Stale("base-behind", f"{name} below it: {below[0].detail}", "build")

    def _stands_on_other(self, parent: PlannedImage) -> bool:
        last = self.one.last
        recorded = last.parent_layers.get(parent.name) if last and self.one.is_recorded else None
        if recorded:
            return recorded != layers_identity(parent.stored)
        # Without a record of its build: whether the image begins with the layers of the base.
        images = {one.image.tag: one.stored for one in (self.one, parent) if one.stored}
        return parent.name not in parent_layers(self.one, images, self.plan)

    def _unrecorded(self) -> list[Stale]:
        # Its inputs changed, but no record tells which.
        found = [one for one in self._newer_files() if one.is_certain]
        if found:
            return found
        # What a container sees through its mounts may be all that changed.
        detail = "the image has other inputs now; no record says which"
        return [Stale("source-changed", detail, "build", is_certain=not self.binds)]

    def _newer_files(self) -> Iterator[Stale]:
        """Files written after an image of unknown inputs, and different from those in its container."""
        made = epoch_seconds(self.one.stored.created) if self.one.stored else 0.0
        paths = (name for name in identities(self.one.image, self.one.manifest) if (self.root / name).is_file())
        own = ((name, Path(normpath(self.root / name))) for name in paths)
        unseen = [name for name, path in own if not is_seen(path, self.binds, self._places(name))]
        newer = [name for name in unseen if written_at(self.root / name) > made > 0]
        judged = known(sorted(newer), self.files.holds if self.files else lambda _: None)
        if judged[False]:
            yield Stale("source-changed", f"the container has a different {listed(judged[False])}", "build")
        if judged[None]:
            detail = f"{listed(judged[None])} was written after the image was built"
            yield Stale("source-changed", detail, "build", is_certain=False)


def _rebuilt(name: str) -> Stale:
    kind: Kind = "base-rebuilt"
    return Stale(kind, f"{name} was rebuilt after it", "build")
