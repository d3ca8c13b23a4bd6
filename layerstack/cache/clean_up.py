"""What `clean` removes: old images that no other stack needs, build cache, and leftovers of killed tasks."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from layerstack import command
from layerstack.build.state import StateStore
from layerstack.cache import builder
from layerstack.cache.builder import Builder
from layerstack.cache.eviction import leaves_first
from layerstack.engine import engine, images
from layerstack.engine.cache_records import CacheRecord
from layerstack.engine.container import PROJECT_LABEL
from layerstack.engine.images import StoredImage
from layerstack.moment import epoch_seconds
from layerstack.project.project import Project
from layerstack.rebuild.leftovers import Leftovers, find_leftovers, remove_leftovers
from layerstack.registry.origin import INPUTS_LABEL
from layerstack.wording import megabytes

# Cache of the last day is likely to be used again.
UNUSED_HOURS = 24
# BuildKit's own records.
OWN_KINDS = ("internal", "frontend")


@dataclass(frozen=True)
class Uses:
    """`running` maps image id → stack with a container of it; `built` are (image, stack) of other stacks."""

    running: dict[str, str]
    built: tuple[tuple[StoredImage, str], ...]

    def user_of(self, image: StoredImage) -> str:
        """Another stack that needs the image, "" for none."""
        if name := self.running.get(image.id):
            return name
        above = (name for one, name in self.built if image.layers and images.is_built_on(one, image))
        return next(above, "")


@dataclass(frozen=True)
class CleanUp:
    """What `clean` will remove; `builder` owns the cache.

    `kept` says which requested images stay, and which stack needs them.
    """

    images: tuple[StoredImage, ...]
    removes_whole_cache: bool
    cache_bytes: int
    builder: Builder
    leftovers: Leftovers = field(default_factory=Leftovers)
    kept: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.images and not self.cache_bytes and not self.leftovers.names

    def sentences(self) -> list[str]:
        """What will be lost, for the confirmation prompt."""
        lines = [f"{named(image)}, up to {megabytes(image.size_bytes)}" for image in self.images]
        if self.removes_whole_cache:
            lines.append(
                f"the whole build cache of builder {self.builder.name}, {megabytes(self.cache_bytes)}, "
                "of all projects: the next build starts from scratch"
            )
        elif self.cache_bytes:
            lines.append(
                f"build cache of all projects, unused for {UNUSED_HOURS} h, {megabytes(self.cache_bytes)}; "
                "layers of images are kept"
            )
        lines += [f"{name}, left behind by a killed task" for name in self.leftovers.names]
        return lines


def plan_clean(project: Project, removes_all: bool) -> CleanUp:
    """Old images and unused cache; with `removes_all` the project's images and the whole cache. Raises EngineError."""
    found = builder.read_builder()
    use = builder.read_use(found)
    own, left = _own_images(project), find_leftovers(project)
    tagged = images.find_all(image.tag for image in project.images.values()) if removes_all else {}
    asked = [*tagged.values(), *own] if removes_all else [image for image in own if not image.tags]
    chosen, kept = _unused(project, asked)
    if removes_all:
        return CleanUp(chosen, True, use.total_bytes, found, left, kept)
    unused = {record.id: 0.0 for record in use.records if _is_unused(record)}
    # What newer cache is built on stays with it.
    cache_bytes = sum(record.size_bytes for record in leaves_first(use.records, unused))
    return CleanUp(chosen, False, cache_bytes, found, left, kept)


def _is_unused(record: CacheRecord) -> bool:
    """As `docker buildx prune --filter unused-for` decides it: never layers of images, nor BuildKit's own records."""
    is_spared = record.is_in_use or record.is_shared or record.kind in OWN_KINDS
    return not is_spared and epoch_seconds(record.last_used) < time.time() - UNUSED_HOURS * 3600


def find_old_images(project: Project) -> tuple[StoredImage, ...]:
    """Images of the project that a newer build has replaced and no other stack needs. Raises EngineError."""
    return _unused(project, [image for image in _own_images(project) if not image.tags])[0]


def _unused(project: Project, asked: Iterable[StoredImage]) -> tuple[tuple[StoredImage, ...], tuple[str, ...]]:
    """The images that no other stack of this engine needs, and why the rest is kept."""
    wanted = _unique(asked)
    uses = read_uses(project.name) if wanted else None
    users = {image.id: uses.user_of(image) if uses else "" for image in wanted}
    kept = (f"{named(image)} stays: {users[image.id]} needs it" for image in wanted if users[image.id])
    return tuple(image for image in wanted if not users[image.id]), tuple(kept)


def clean(plan: CleanUp) -> str:
    """Carry out the plan and return a summary; images used by a container stay. Raises CommandFailed."""
    before = builder.read_use(plan.builder).total_bytes
    remove_leftovers(plan.leftovers)
    # Images before cache: the records of their layers are shared until they are gone.
    images.remove(reference for image in plan.images for reference in (image.tags or (image.id,)))
    scope = ("--all",) if plan.removes_whole_cache else ("--filter", f"unused-for={UNUSED_HOURS}h")
    command.run(("docker", "buildx", "prune", "--force", *scope)).require()
    # The engine refuses to remove an image that a container uses, and that is no failure of the clean-up.
    left = images.find_all(image.id for image in plan.images)
    kept = f", {len(left)} still in use by containers (`invoke down` first)" if left else ""
    freed = megabytes(max(0, before - builder.read_use(plan.builder).total_bytes))
    rest = f"; {len(plan.leftovers.names)} leftovers of killed tasks" if plan.leftovers.names else ""
    stay = "".join(f"; {text}" for text in plan.kept)
    return f"removed {len(plan.images) - len(left)} images{kept}, and {freed} of build cache{rest}{stay}"


def _own_images(project: Project) -> list[StoredImage]:
    """Images with the project's Compose label, and bases that were built under one of its tags."""
    tags, store = {image.tag for image in project.images.values()}, StateStore(project.root)
    # Bake builds the bases, so they have no label of Compose; the record of a build knows under which tag they were
    # made.
    states = ((image, store.of_image(image.id)) for image in images.with_label(INPUTS_LABEL))
    bases = [image for image, state in states if state and state.tag in tags]
    return list(_unique((*images.with_label(f"{PROJECT_LABEL}={project.name}"), *bases)))


def named(image: StoredImage) -> str:
    """The image in a sentence: by its tags, else by the beginning of its id."""
    if image.tags:
        return f"image {', '.join(image.tags)}"
    return f"image {image.id[7:19]} (untagged: replaced by a newer build)"


def _unique(stored: Iterable[StoredImage]) -> tuple[StoredImage, ...]:
    return tuple({image.id: image for image in stored}.values())


def read_uses(project_name: str) -> Uses:
    """The images that all other stacks need, running or not. Raises EngineError."""
    running = {}
    # Stopped containers count, as they can be started again.
    for entry in engine.client().api.containers(all=True):
        name = (entry.get("Labels") or {}).get(PROJECT_LABEL, project_name)
        if name != project_name:
            running[str(entry.get("ImageID"))] = name
    labelled = ((one, one.labels.get(PROJECT_LABEL, "")) for one in images.with_label(PROJECT_LABEL))
    return Uses(running, tuple((one, name) for one, name in labelled if name != project_name))
