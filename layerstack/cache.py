"""The records of the engine's build cache."""

from dataclasses import dataclass
from typing import Any

from layerstack import engine
from layerstack.errors import EngineError


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
    parents: tuple[str, ...] = ()
    usage_count: int = 0
    created: str = ""


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
                    "usage_count": record.usage_count,
                    "parents": list(record.parents),
                }
                for record in self.records
            ],
        }


def read_cache() -> CacheUse:
    """Ask the engine for its build cache. Raises EngineError."""
    from docker.errors import DockerException

    try:
        usage: dict[str, Any] = engine.client().api.df()
    except DockerException as error:
        raise EngineError(f"The engine does not tell its disk use: {error}") from error
    return CacheUse(tuple(_record(entry) for entry in usage.get("BuildCache") or ()))


def _record(entry: dict[str, Any]) -> CacheRecord:
    return CacheRecord(
        id=entry.get("ID", ""),
        kind=entry.get("Type", ""),
        description=entry.get("Description", ""),
        size_bytes=int(entry.get("Size") or 0),
        is_in_use=bool(entry.get("InUse")),
        is_shared=bool(entry.get("Shared")),
        last_used=entry.get("LastUsedAt") or entry.get("CreatedAt") or "",
        # Engine 28 spells the name of this field with a blank.
        parents=tuple(entry.get("Parents") or entry.get(" Parents") or ()),
        usage_count=int(entry.get("UsageCount") or 0),
        created=entry.get("CreatedAt") or "",
    )
