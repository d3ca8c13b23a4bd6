"""The current builder of `docker buildx`: its cache, garbage collection and disk."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from layerstack import command
from layerstack.build.elsewhere import INSPECT_SECONDS, inspect_builder, read_fields
from layerstack.cache import gc_policy
from layerstack.cache.gc_policy import GcRule, Rules
from layerstack.engine import engine
from layerstack.engine.cache_records import CacheRecord, CacheUse, read_cache
from layerstack.engine.engine import EngineFacts
from layerstack.errors import EngineError
from layerstack.moment import epoch_seconds, seconds_ago


@dataclass(frozen=True)
class Disk:
    """The file system that holds the cache; `free_bytes` includes the part reserved for root, as in BuildKit.

    Both are None for an engine on another machine.
    """

    total_bytes: int | None = None
    free_bytes: int | None = None


@dataclass(frozen=True)
class Builder:
    """`rules` are applied in turn; `notes` say what could not be read."""

    name: str
    driver: str
    server_version: str
    rules: Rules
    disk: Disk
    notes: tuple[str, ...] = ()

    @property
    def is_engine(self) -> bool:
        """Whether it is the engine's own BuildKit, whose cache shares layers with images."""
        return self.driver == "docker"

    @property
    def layer_rule(self) -> GcRule | None:
        """The last rule, which takes layers of images, too."""
        return self.rules[-1] if self.rules else None

    @property
    def config_file(self) -> str:
        return "daemon.json" if self.is_engine else "buildkitd.toml"

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "driver": self.driver,
            "disk": asdict(self.disk),
            "policy": [rule.to_json() for rule in self.rules],
            "notes": list(self.notes),
        }


def read_builder() -> Builder:
    """Ask Buildx and the engine. Raises EngineError."""
    facts = engine.read_facts()
    answer = inspect_builder()
    if not answer.ok:
        raise EngineError(f"Buildx does not describe its builder: {answer.stderr.strip()}", "`docker buildx ls`")
    fields, rules, disk = read_fields(answer.stdout), gc_policy.parse_rules(answer.stdout), _disk(facts)
    return Builder(
        name=fields.get("Name", ""),
        driver=fields.get("Driver", ""),
        server_version=facts.server_version,
        rules=rules,
        disk=disk,
        notes=tuple(_notes(rules, disk)),
    )


def read_use(builder: Builder) -> CacheUse:
    """The records of this builder. Raises EngineError."""
    if builder.is_engine:
        return read_cache()
    # The engine lists only its own cache; Buildx rounds: sizes to four digits, ages to one unit.
    answer = command.run(("docker", "buildx", "du", "--format", "json"), timeout_seconds=INSPECT_SECONDS)
    if not answer.ok:
        advice = "`docker buildx du --format json` must work: Buildx 0.29 or newer."
        raise EngineError(f"Buildx does not list the cache of builder {builder.name}: {answer.stderr.strip()}", advice)
    now = datetime.now(timezone.utc)
    lines = (line for line in answer.stdout.splitlines() if line.startswith("{"))
    return CacheUse(tuple(_printed_record(json.loads(line), now) for line in lines))


def _printed_record(entry: Mapping[str, Any], now: datetime) -> CacheRecord:
    age = seconds_ago(str(entry.get("LastUsedAt") or ""))
    used = epoch_seconds(entry.get("CreatedAt")) if age is None else now.timestamp() - age
    return CacheRecord(
        id=str(entry.get("ID") or ""),
        kind=str(entry.get("Type") or ""),
        description=str(entry.get("Description") or ""),
        size_bytes=gc_policy.parse_printed_size(str(entry.get("Size") or "0")),
        is_in_use=not entry.get("Reclaimable", True),
        is_shared=bool(entry.get("Shared")),
        last_used=datetime.fromtimestamp(used, timezone.utc).isoformat(),
        created=str(entry.get("CreatedAt") or ""),
        parents=tuple(entry.get("Parents") or ()),
        usage_count=int(entry.get("UsageCount") or 0),
    )


def _notes(rules: Rules, disk: Disk) -> Iterator[str]:
    if disk.total_bytes is None:
        yield "the engine's disk is on another machine: its free space is unknown"
    if not rules:
        yield "Buildx prints no GC policy for this builder: garbage collection is off, or the builder is stopped"


def _disk(facts: EngineFacts) -> Disk:
    if facts.disk_free_bytes is None:
        return Disk()
    found = os.statvfs(facts.data_root)
    return Disk(found.f_blocks * found.f_frsize, found.f_bfree * found.f_frsize)
