"""BuildKit's rules for removing build cache by itself, as `docker buildx inspect` prints them.

Sources: docs.docker.com/build/cache/garbage-collection; BuildKit, cache/manager.go.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from layerstack.moment import span_seconds
from layerstack.wording import megabytes

GIBIBYTE = 1 << 30
# Older engines have one limit instead of three.
THREE_LIMITS_ENGINE = (28,)
_UNITS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
# `24.21GiB`, `1.2GB`, `0B`
_SIZE = re.compile(r"^\s*([\d.]+)\s*([kmgtp]?)(i?)(b?)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class GcRule:
    """One rule of the ordered list; 0 means no such limit.

    `takes_all` includes layers of images and internal records. `kinds` are the record types it covers, () for all.
    """

    takes_all: bool = False
    kinds: tuple[str, ...] = ()
    unused_seconds: float = 0.0
    reserved_bytes: int = 0
    max_used_bytes: int = 0
    min_free_bytes: int = 0

    @property
    def words(self) -> str:
        """When the rule removes cache, and how much it leaves."""
        parts = []
        if self.min_free_bytes:
            parts.append(f"when less than {megabytes(self.min_free_bytes)} of the disk are free")
        if self.max_used_bytes:
            parts.append(f"when the cache exceeds {megabytes(self.max_used_bytes)}")
        limits = " or ".join(parts) or "always"
        return f"{limits}, the least recently used first, down to {megabytes(self.reserved_bytes)}"

    def keep_bytes(self, cache_bytes: int, free_bytes: int | None) -> int:
        """The size to which the rule cuts the cache; with `free_bytes` None the disk is never full."""
        # As calculateKeepBytes in BuildKit's cache/manager.go.
        keep = self.max_used_bytes
        missing = self.min_free_bytes - free_bytes if free_bytes is not None else 0
        if missing > 0:
            keep = min(keep or cache_bytes, cache_bytes - missing)
        elif self.min_free_bytes and not keep:
            keep = cache_bytes + 1
        return max(keep, self.reserved_bytes)

    def to_json(self) -> dict[str, Any]:
        return {
            "all": self.takes_all,
            "kinds": list(self.kinds),
            "unused_hours": self.unused_seconds / 3600,
            "reserved_bytes": self.reserved_bytes,
            "max_used_bytes": self.max_used_bytes,
            "min_free_bytes": self.min_free_bytes,
        }


Rules = tuple[GcRule, ...]


def parse_rules(inspect_text: str) -> Rules:
    """The `GC Policy` of `docker buildx inspect`; () where garbage collection is off or the builder is stopped."""
    # `GC Policy rule#0:`, then indented lines such as ` Reserved Space: 24.21GiB`.
    blocks = re.split(r"^GC Policy rule#\d+:\n", inspect_text, flags=re.MULTILINE)[1:]
    return tuple(_rule(dict(_fields(block))) for block in blocks)


def parse_printed_size(text: str) -> int:
    """Bytes as Buildx prints them: `24.21GiB` is binary, `1.2GB` decimal. Raises ValueError."""
    match = _SIZE.match(text)
    if not match:
        raise ValueError(f"`{text}` is no size")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** _UNITS[match[2].lower()])


def _rule(fields: Mapping[str, str]) -> GcRule:
    return GcRule(
        takes_all=fields.get("All") == "true",
        # `type==source.local,type==exec.cachemount`
        kinds=tuple(re.findall(r"type=+([^,]+)", fields.get("Filters", ""))),
        unused_seconds=span_seconds(fields.get("Keep Duration", "0")),
        # Older versions of Buildx print one figure, `Keep Bytes`, and neither of the two below.
        reserved_bytes=parse_printed_size(fields.get("Reserved Space") or fields.get("Keep Bytes") or "0"),
        max_used_bytes=parse_printed_size(fields.get("Max Used Space", "0")),
        min_free_bytes=parse_printed_size(fields.get("Min Free Space", "0")),
    )


def _fields(block: str) -> Iterator[tuple[str, str]]:
    for line in block.splitlines():
        name, sign, value = line.strip().partition(":")
        # A line that is not indented begins another section, for example `File#buildkitd.toml:`.
        if not line.startswith(" ") or not sign:
            return
        yield name, value.strip()
