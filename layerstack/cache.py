"""What BuildKit's cache holds, and what a clean-up would remove."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from layerstack import command, engine, images, rebuild
from layerstack.build import PROJECT_LABEL
from layerstack.errors import EngineError
from layerstack.images import StoredImage
from layerstack.progress import megabytes
from layerstack.project import Project

UNUSED_HOURS = 24


@dataclass(frozen=True)
class CacheRecord:
    """One record of the build cache. Shared ones are layers of an image too and cost nothing extra."""

    id: str
    kind: str
    description: str
    size_bytes: int
    is_in_use: bool
    is_shared: bool
    last_used: str


@dataclass(frozen=True)
class CacheUse:
    """The whole build cache of the engine: BuildKit keeps one for all projects."""

    records: tuple[CacheRecord, ...]

    @property
    def total_bytes(self) -> int:
        return sum(record.size_bytes for record in self.records)

    @property
    def reclaimable_bytes(self) -> int:
        return sum(record.size_bytes for record in self.records if not record.is_in_use and not record.is_shared)

    def to_json(self) -> dict[str, Any]:
        return {
            "total_bytes": self.total_bytes,
            "reclaimable_bytes": self.reclaimable_bytes,
            "records": [
                {
                    "id": record.id,
                    "kind": record.kind,
                    "description": record.description,
                    "bytes": record.size_bytes,
                    "in_use": record.is_in_use,
                    "shared": record.is_shared,
                    "last_used": record.last_used,
                }
                for record in self.records
            ],
        }


@dataclass(frozen=True)
class CleanUp:
    """What `clean` will remove, before it does."""

    images: tuple[StoredImage, ...]
    removes_whole_cache: bool
    cache_bytes: int

    @property
    def is_empty(self) -> bool:
        return not self.images and not self.cache_bytes

    def sentences(self) -> list[str]:
        """What will be lost, for the question that comes before."""
        named = [", ".join(image.tags) or f"{image.id[7:19]} (untagged)" for image in self.images]
        lines = [f"image {name}, {megabytes(image.size_bytes)}" for name, image in zip(named, self.images, strict=True)]
        if self.removes_whole_cache:
            lines.append(f"the engine's whole build cache, {megabytes(self.cache_bytes)}, of every project")
        elif self.cache_bytes:
            lines.append(f"build cache that nothing used for {UNUSED_HOURS} h, up to {megabytes(self.cache_bytes)}")
        return lines


def read_cache() -> CacheUse:
    """Ask the engine for its build cache. Raises EngineError."""
    from docker.errors import DockerException

    try:
        usage: dict[str, Any] = engine.client().api.df()
    except DockerException as error:
        raise EngineError(f"The engine does not tell its disk use: {error}") from error
    return CacheUse(tuple(_record(entry) for entry in usage.get("BuildCache") or ()))


def plan_clean(project: Project, removes_all: bool) -> CleanUp:
    """Old images and unused cache; with `removes_all` this project's images and the whole cache."""
    use = read_cache()
    own = images.with_label(f"{PROJECT_LABEL}={project.name}")
    if removes_all:
        tagged = images.find_all(image.tag for image in project.images.values())
        return CleanUp(_unique((*tagged.values(), *own)), True, use.total_bytes)
    return CleanUp(tuple(image for image in own if not image.tags), False, _unused_bytes(use.records))


def clean(project: Project, plan: CleanUp) -> str:
    """Remove what the plan names, and say what came of it; images that a container uses stay. Raises CommandFailed."""
    before = read_cache().total_bytes
    rebuild.remove_leftovers(project)
    images.remove(reference for image in plan.images for reference in (image.tags or (image.id,)))
    scope = ("--all",) if plan.removes_whole_cache else ("--filter", f"unused-for={UNUSED_HOURS}h")
    command.run(("docker", "buildx", "prune", "--force", *scope)).require()
    left = images.find_all(image.id for image in plan.images)
    kept = f", {len(left)} still in use by containers (`invoke down` first)" if left else ""
    freed = megabytes(max(0, before - read_cache().total_bytes))
    return f"removed {len(plan.images) - len(left)} images{kept}, and {freed} of build cache"


def _record(entry: dict[str, Any]) -> CacheRecord:
    return CacheRecord(
        id=entry.get("ID", ""),
        kind=entry.get("Type", ""),
        description=entry.get("Description", ""),
        size_bytes=int(entry.get("Size") or 0),
        is_in_use=bool(entry.get("InUse")),
        is_shared=bool(entry.get("Shared")),
        last_used=entry.get("LastUsedAt") or entry.get("CreatedAt") or "",
    )


def _unused_bytes(records: Sequence[CacheRecord]) -> int:
    from datetime import datetime, timedelta, timezone

    limit = (datetime.now(timezone.utc) - timedelta(hours=UNUSED_HOURS)).strftime("%Y-%m-%dT%H:%M:%S")
    return sum(
        record.size_bytes
        for record in records
        if not record.is_in_use and not record.is_shared and record.last_used[:19] < limit
    )


def _unique(found: Iterable[StoredImage]) -> tuple[StoredImage, ...]:
    return tuple({image.id: image for image in found}.values())
