"""The records of the engine's build cache."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from layerstack.dockerfile.recipe_stage import RecipeLine
from layerstack.engine.disk_use import read_disk_use
from layerstack.errors import EngineError, reason

# BuildKit describes a record of RUN as `mount / from exec SHELL COMMAND`, one of COPY as `[stage 2/4] COPY a /a`.
_RUN_PREFIX = "mount / from exec "
_STEP_PREFIX = re.compile(r"^\[[^\]]*\]\s+")
# `--mount=type=cache,target=/cache/npm npm ci`
_FLAGS = re.compile(r"^(--[\w-]+(=\S+)?\s+)+")


# Other programs read the document by these names.
_NAMES = {"size_bytes": "bytes", "is_in_use": "in_use", "is_shared": "shared"}


class CacheRecord(msgspec.Struct, frozen=True, rename=_NAMES):
    """One record of the build cache. A shared one is also a layer of an image and takes no extra space."""

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
    """The whole build cache of the engine, which is one for all projects."""

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
            "records": msgspec.to_builtins(self.records),
        }


def read_cache() -> CacheUse:
    """Ask the engine for its build cache. Raises EngineError."""
    try:
        entries = read_disk_use("build-cache")["build-cache"]
    except (EngineError, OSError) as error:
        raise EngineError(f"The engine does not report its disk usage: {reason(error)}") from error
    return CacheUse(tuple(map(_record, entries)))


def _record(entry: dict[str, Any]) -> CacheRecord:
    return CacheRecord(
        id=entry.get("ID", ""),
        kind=entry.get("Type", ""),
        description=entry.get("Description", ""),
        size_bytes=int(entry.get("Size") or 0),
        is_in_use=bool(entry.get("InUse")),
        is_shared=bool(entry.get("Shared")),
        # A record that was never used after its creation has no other time.
        last_used=entry.get("LastUsedAt") or entry.get("CreatedAt") or "",
        # Engine 28 spells the name of this field with a blank.
        parents=tuple(entry.get("Parents") or entry.get(" Parents") or ()),
        usage_count=int(entry.get("UsageCount") or 0),
        created=entry.get("CreatedAt") or "",
    )


def without_step(description: str) -> str:
    """`COPY a /a` of `[stage 2/4] COPY a /a`."""
    return _STEP_PREFIX.sub("", description)


def describes(record: CacheRecord, line: RecipeLine) -> bool:
    """Whether the record is the result of this instruction, in whatever build."""
    return _matcher(line.keyword, line.text)(_one_line(record.description))


# Every record is compared with every step: 2,700 records take 0.01 s so, and 0.12 s without this cache.
@lru_cache(maxsize=1 << 10)
def _matcher(keyword: str, text: str) -> Callable[[str], bool]:
    """Whether a description, blanks joined, is that of an instruction."""
    if keyword == "RUN":
        end = f" {_command(text)}"
        return lambda shown: shown.startswith(_RUN_PREFIX) and shown.endswith(end)
    written = " ".join(f"{keyword} {text}".split())
    # BuildKit fills in variables and shortens heredocs: compare what comes before.
    literal = re.split(r"\$|<<", written, maxsplit=1)[0]
    if literal == written:
        # `endswith` is cheap and rules out nearly every record.
        return lambda shown: shown.endswith(written) and without_step(shown) == written
    return lambda shown: without_step(shown).startswith(literal)


@lru_cache(maxsize=1 << 15)
def _one_line(description: str) -> str:
    return " ".join(description.split())


def _command(text: str) -> str:
    """What the shell gets, blanks joined."""
    command = _FLAGS.sub("", " ".join(text.split()) + " ").strip()
    if command.startswith("<<"):
        command = text.split("\n", 1)[-1]
    elif command.startswith("["):
        with suppress(ValueError, TypeError):  # a shell test that only looks like a list
            command = " ".join(json.loads(command))
    return " ".join(command.split())
