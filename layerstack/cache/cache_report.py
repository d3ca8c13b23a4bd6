"""The build cache by image and step, the rest by kind, and how long it will last."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from layerstack.build.state import ImageState, StateStore
from layerstack.cache import cache_forecast
from layerstack.cache.builder import Builder, read_builder, read_use
from layerstack.cache.cache_forecast import Forecast
from layerstack.cache.cached_steps import Built, CachedStep, find_steps
from layerstack.cache.eviction import Eviction
from layerstack.dockerfile.image import Image, target_of
from layerstack.dockerfile.named_context import find_context
from layerstack.dockerfile.recipe import read_recipe
from layerstack.dockerfile.recipe_stage import RecipeStage
from layerstack.engine import images
from layerstack.engine.cache_records import CacheRecord, CacheUse, describes
from layerstack.engine.images import StoredImage
from layerstack.errors import UsageError, reason
from layerstack.project.project import Project
from layerstack.wording import megabytes

# `cached mount /cache/npm from exec /bin/sh -c npm ci`
_MOUNT = re.compile(r"^cached mount (\S+)")


@dataclass(frozen=True)
class CachedImage:
    """One image of the project; `notes` say what is unknown about it."""

    name: str
    tag: str
    is_base: bool
    steps: tuple[CachedStep, ...]
    forecast: Forecast
    dropped: frozenset[str]
    notes: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        return sum(step.record.size_bytes for step in self.steps if step.record)

    def to_json(self) -> dict[str, Any]:
        return {
            "image": self.name,
            "tag": self.tag,
            "base": self.is_base,
            "bytes": self.size_bytes,
            "status": self.forecast.status,
            "detail": self.forecast.detail,
            "bytes_until": self.forecast.bytes_until,
            "notes": list(self.notes),
            "steps": [_step_json(step, self.dropped) for step in self.steps],
        }


@dataclass(frozen=True)
class Group:
    """Records that belong to no current step of the project's images."""

    kind: str
    what: str
    records: tuple[CacheRecord, ...]

    @property
    def size_bytes(self) -> int:
        return sum(record.size_bytes for record in self.records)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "what": self.what, "records": len(self.records), "bytes": self.size_bytes}


@dataclass(frozen=True)
class CacheReport:
    """The whole report; `keep` are the configuration lines that would keep the cache of the base images."""

    use: CacheUse
    builder: Builder
    images: tuple[CachedImage, ...]
    groups: tuple[Group, ...]
    dropped_bytes: int
    keep: str

    @property
    def is_endangered(self) -> bool:
        """Whether the cache of a base image may soon be lost."""
        # Only bases: a lost base costs minutes, a service seconds.
        return any(one.is_base and one.forecast.status in ("at-risk", "would-drop") for one in self.images)

    @property
    def base_records(self) -> frozenset[str]:
        """Ids of the records that hold steps of base images."""
        return _base_records(self.images)

    def sentences(self) -> list[str]:
        """Totals, disk, policy, images at risk, and the settings to write when a base is among them."""
        disk = self.builder.disk
        lines = [
            f"build cache of all projects: {megabytes(self.use.total_bytes)}; "
            f"{megabytes(self.use.reclaimable_bytes)} of it belong to no image (`invoke clean` removes what is old)"
        ]
        if disk.total_bytes and disk.free_bytes is not None:
            lines.append(f"disk: {megabytes(disk.free_bytes)} of {megabytes(disk.total_bytes)} free")
        if self.builder.layer_rule:
            lines.append(f"BuildKit cleans up by itself: {self.builder.layer_rule.words}")
            if self.dropped_bytes:
                lines.append(f"its next clean-up removes {megabytes(self.dropped_bytes)}")
        lines += self.builder.notes
        lines += self._safe()
        for one in self.images:
            if one.forecast.status not in ("safe", "not-built"):
                lines.append(f"{one.tag}: {one.forecast.status}: {one.forecast.detail}")
            lines += [f"{one.tag}: {note}" for note in one.notes]
        if self.is_endangered:
            lines += [f"to keep the base images' cache, write into {self.builder.config_file}:", self.keep]
        return lines

    def _safe(self) -> list[str]:
        """One line for all images that are safe."""
        safe = [one.forecast for one in self.images if one.forecast.status == "safe"]
        room = [one.bytes_until for one in safe if one.bytes_until is not None]
        if not safe:
            return []
        until = f" until about {megabytes(min(room))} more are used on the disk" if room else ", even on a full disk"
        return [f"safe: the steps of {len(safe)} of {len(self.images)} images stay cached{until}"]

    def to_json(self) -> dict[str, Any]:
        return {
            **self.use.to_json(),
            "builder": self.builder.to_json(),
            "images": [image.to_json() for image in self.images],
            "groups": [group.to_json() for group in self.groups],
            "next_gc_drops_bytes": self.dropped_bytes,
            "keep": {"file": self.builder.config_file, "text": self.keep},
        }


def read_report(project: Project) -> CacheReport:
    """The builder's records, matched with the project's Dockerfiles. Raises EngineError."""
    builder = read_builder()
    use = read_use(builder)
    eviction = Eviction(use.records, builder.layer_rule)
    dropped = eviction.dropped(builder.disk.free_bytes)
    found = tuple(_read_images(project, use, builder, eviction, StateStore(project.root)))
    return CacheReport(
        use=use,
        builder=builder,
        images=found,
        groups=tuple(_groups(use.records, found)),
        dropped_bytes=sum(record.size_bytes for record in use.records if record.id in dropped),
        keep=cache_forecast.keeping_settings(_base_records(found), eviction, builder),
    )


def _base_records(images: Iterable[CachedImage]) -> frozenset[str]:
    return frozenset(step.record.id for one in images if one.is_base for step in one.steps if step.record)


def _read_images(
    project: Project, use: CacheUse, builder: Builder, eviction: Eviction, store: StateStore
) -> Iterable[CachedImage]:
    wanted = project.with_parents(list(project.images))
    stored = images.find_all(image.tag for image in wanted)
    dropped = eviction.dropped(builder.disk.free_bytes)
    bases = {image.name for image in project.base_images}
    # Image → the record of its last layer; parents come first.
    ends: dict[str, str] = {}
    for image in wanted:
        # By the image's id: the tag may name an image that something else built.
        last = store.of_image(stored[image.tag].id) if image.tag in stored else None
        built, notes = _built(project, image, last, image.tag in stored)
        built = replace(built, bases=_ends_below(image, built.stages, ends))
        steps = find_steps(built, use.records)
        ends[image.name] = next((one.record.id for one in reversed(steps) if one.is_layer and one.record), "")
        outcome = _outcome(steps, last, stored.get(image.tag), builder, eviction)
        yield CachedImage(image.name, image.tag, image.name in bases, steps, outcome, dropped, notes)


def _built(project: Project, image: Image, last: ImageState | None, is_stored: bool) -> tuple[Built, tuple[str, ...]]:
    """The recipe of the image: that of its last recorded build, else its current Dockerfile."""
    # The Dockerfile may have changed since that build, whose steps are those in the cache.
    if last and last.manifest.stages:
        return Built(last.manifest.dockerfile, last.manifest.stages, last.cache_records), ()
    notes = ("no record of its build: these are the steps of the current Dockerfile",) if is_stored else ()
    try:
        return Built(image.dockerfile_place, read_recipe(project.root, image).stages), notes
    except UsageError as error:
        return Built(image.dockerfile_place, ()), (reason(error),)


def _ends_below(image: Image, stages: Iterable[RecipeStage], ends: Mapping[str, str]) -> dict[str, str]:
    """Base of a stage → the record of its last layer, where the base is an image of the project."""
    below = {one.base for one in stages if not one.is_on_stage}
    targets = {base.lower(): target_of(find_context(image, base) or "") for base in below}
    return {base: ends[target] for base, target in targets.items() if target in ends}


def _outcome(
    steps: tuple[CachedStep, ...],
    last: ImageState | None,
    stored: StoredImage | None,
    builder: Builder,
    eviction: Eviction,
) -> Forecast:
    if stored is None:
        return Forecast("not-built", "there is no such image")
    if not steps:
        return Forecast("unknown", "its steps are unknown")
    # A record that looks like the step may belong to another project: what a build saw is more certain.
    if last and last.is_cache_gone:
        return Forecast("lost", "a build found its steps no longer cached; services are built on the stored image")
    return cache_forecast.forecast(steps, eviction, builder)


def _groups(records: Iterable[CacheRecord], cached: tuple[CachedImage, ...]) -> Iterable[Group]:
    """The remaining records, largest group first."""
    placed = {step.record.id for one in cached for step in one.steps if step.record}
    lines = {(step.line.keyword, step.line.text): step.line for one in cached for step in one.steps}
    groups: dict[tuple[str, str], list[CacheRecord]] = defaultdict(list)
    for record in records:
        if record.id not in placed:
            # Only descriptions can tell: these records are not on the chain of any current step.
            is_own = record.kind == "regular" and any(describes(record, line) for line in lines.values())
            groups[_group(record, is_own)].append(record)
    every = (Group(kind, what, tuple(held)) for (kind, what), held in groups.items())
    return sorted(every, key=lambda group: -group.size_bytes)


def _group(record: CacheRecord, is_own: bool) -> tuple[str, str]:
    if record.kind == "exec.cachemount":
        match = _MOUNT.match(record.description)
        return "cache mount", match[1] if match else record.description
    if record.kind == "source.local":
        return "context", "files sent from this machine"
    if record.kind != "regular":
        return record.kind, "other sources"
    if is_own:
        return "older steps", "the same instructions with other inputs, or from other copies of this project"
    return "other steps", "system images and other projects"


def _step_json(step: CachedStep, dropped: frozenset[str]) -> Mapping[str, Any]:
    record = step.record
    return {
        "step": str(step.line),
        "stage": step.stage,
        "line": step.line.line,
        "is_layer": step.is_layer,
        "cached": record is not None,
        "bytes": record.size_bytes if record else None,
        "last_used": record.last_used if record else None,
        "usage_count": record.usage_count if record else None,
        "record": record.id if record else None,
        "next_gc_drops": record is not None and record.id in dropped,
    }
