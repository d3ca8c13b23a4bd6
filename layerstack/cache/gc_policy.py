"""Which build cache the engine throws away by itself: its rules, and what they should be from the documentation.

Sources: docs.docker.com/build/cache/garbage-collection; moby, builder-next/worker/gc.go; BuildKit, cache/manager.go.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from layerstack.engine.engine import parse_version

GIBIBYTE = 1 << 30
RESERVED_PERCENT, MAX_USED_PERCENT, MIN_FREE_PERCENT = 10, 80, 20
CONTAINER_RESERVED_BYTES, CONTAINER_MAX_USED_BYTES = 10 * 10**9, 100 * 10**9
SMALL_CACHE_BYTES = 512 * 10**6
# moby keeps cache mounts in e * pi * phi percent of the reserve.
MOUNT_SHARE = math.e * math.pi * (1 + math.sqrt(5)) / 2 / 100
MOUNT_TYPES = ("source.local", "exec.cachemount", "source.git.checkout")
MOUNT_FILTER = ",".join(f"type=={kind}" for kind in MOUNT_TYPES)
MOUNT_SECONDS, OLD_SECONDS = 48 * 3600.0, 60 * 24 * 3600.0
# Before, dockerd kept one figure; before 29.6 it joined the three types by "and", which nothing can be.
THREE_LIMITS_ENGINE, MOUNTS_ENFORCED_ENGINE = (28,), (29, 6)
ROUNDING = 0.002
_UNITS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SIZE = re.compile(r"^\s*([\d.]+)\s*([kmgtp]?)(i?)(b?)\s*$", re.IGNORECASE)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")


@dataclass(frozen=True)
class GcRule:
    """One rule, applied after the ones before it; 0 means no such limit.

    `takes_all` also drops what images share and BuildKit's internal records. `kinds` are the record types it takes,
    () for every one.
    """

    takes_all: bool = False
    kinds: tuple[str, ...] = ()
    unused_seconds: float = 0.0
    reserved_bytes: int = 0
    max_used_bytes: int = 0
    min_free_bytes: int = 0

    @property
    def has_limit(self) -> bool:
        return bool(self.reserved_bytes or self.max_used_bytes or self.min_free_bytes)

    def keep_bytes(self, cache_bytes: int, free_bytes: int | None) -> int:
        """Down to which size the rule cuts the cache; `free_bytes` None: the disk is not known and never full."""
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


def engine_rules(disk_bytes: int, server_version: str = "") -> Rules:
    """What dockerd does when nothing is configured; `disk_bytes` is the size of the disk that holds its data."""
    if _is_older(server_version, THREE_LIMITS_ENGINE):
        return _rules(_percent(disk_bytes, RESERVED_PERCENT), 0, 0)
    shares = (_percent(disk_bytes, percent) for percent in (RESERVED_PERCENT, MAX_USED_PERCENT, MIN_FREE_PERCENT))
    return _rules(*shares)


def container_rules(disk_bytes: int) -> Rules:
    """What a builder in a container (buildkitd) does when nothing is configured."""
    reserved = min(_percent(disk_bytes, RESERVED_PERCENT), CONTAINER_RESERVED_BYTES)
    max_used = min(_percent(disk_bytes, MAX_USED_PERCENT), CONTAINER_MAX_USED_BYTES)
    return _rules(reserved, max_used, _percent(disk_bytes, MIN_FREE_PERCENT), SMALL_CACHE_BYTES)


def configured_rules(daemon_json: Mapping[str, Any], disk_bytes: int, server_version: str = "") -> Rules:
    """What dockerd does with the `builder.gc` part of a daemon.json. Raises ValueError for a size it cannot read."""
    settings = (daemon_json.get("builder") or {}).get("gc") or {}
    if settings.get("enabled") is False:
        return ()
    if settings.get("policy"):
        return tuple(_configured_rule(entry) for entry in settings["policy"])
    names = ("defaultReservedSpace", "defaultMaxUsedSpace", "defaultMinFreeSpace")
    reserved, max_used, min_free = (parse_size(str(settings.get(name) or 0)) for name in names)
    reserved = reserved or parse_size(str(settings.get("defaultKeepStorage") or 0))
    # dockerd fills in its own figures only when none at all is given.
    is_unset = not (reserved or max_used or min_free)
    return engine_rules(disk_bytes, server_version) if is_unset else _rules(reserved, max_used, min_free)


def parse_rules(inspect_text: str) -> Rules | None:
    """The `GC Policy` of `docker buildx inspect`; None when this Buildx prints none."""
    blocks = re.split(r"^GC Policy rule#\d+:\n", inspect_text, flags=re.MULTILINE)[1:]
    return tuple(_printed_rule(dict(_fields(block))) for block in blocks) or None


def enforced(rules: Rules, server_version: str) -> Rules:
    """The rules without the one that this engine prints and cannot apply: its filter matches nothing."""
    if not _is_older(server_version, MOUNTS_ENFORCED_ENGINE):
        return rules
    return tuple(rule for rule in rules if rule.kinds != MOUNT_TYPES)


def differences(found: Rules, expected: Rules) -> list[str]:
    """What two lists of rules disagree in, beyond the digits that Buildx rounds away."""
    if len(found) != len(expected):
        return [f"{len(found)} rules instead of {len(expected)}"]
    return [
        f"rule {number}: {name} is {value} instead of {wanted[name]}"
        for number, (rule, other) in enumerate(zip(found, expected, strict=True))
        for wanted in [other.to_json()]
        for name, value in rule.to_json().items()
        if not _is_same(value, wanted[name])
    ]


def parse_size(text: str) -> int:
    """Bytes as dockerd reads them: `40GB` and `40GiB` are both 40 * 2^30. Raises ValueError."""
    match = _SIZE.match(text)
    if not match:
        raise ValueError(f"`{text}` is no size")
    return int(float(match[1]) * 1024 ** _UNITS[match[2].lower()])


def parse_printed_size(text: str) -> int:
    """Bytes as Buildx prints them: `24.21GiB` is binary, `1.2GB` decimal. Raises ValueError."""
    match = _SIZE.match(text)
    if not match:
        raise ValueError(f"`{text}` is no size")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** _UNITS[match[2].lower()])


def parse_span(text: str) -> float:
    """Seconds of a Go duration like `48h0m0s`; a bare number is seconds."""
    if text.strip().isdigit():
        return float(text)
    factors = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return sum(float(number) * factors[unit] for number, unit in _SPAN.findall(text))


def _rules(reserved: int, max_used: int, min_free: int, mounts: int = 0) -> Rules:
    limited = GcRule(reserved_bytes=reserved, max_used_bytes=max_used, min_free_bytes=min_free)
    mounts = mounts or max(round(reserved * MOUNT_SHARE), SMALL_CACHE_BYTES)
    return (
        GcRule(kinds=MOUNT_TYPES, unused_seconds=MOUNT_SECONDS, max_used_bytes=mounts),
        replace(limited, unused_seconds=OLD_SECONDS),
        limited,
        replace(limited, takes_all=True),
    )


def _percent(disk_bytes: int, percent: int) -> int:
    """BuildKit counts whole gibibytes, one more, and then takes each for 10^9 bytes."""
    return (disk_bytes * percent // 100 // GIBIBYTE + 1) * 10**9


def _configured_rule(entry: Mapping[str, Any]) -> GcRule:
    filters = _filters(entry.get("filter") or ())
    spans = [text.split("=", 1)[1] for text in filters if text.startswith("unused-for=")]
    return GcRule(
        takes_all=bool(entry.get("all")),
        kinds=_kinds(filters),
        unused_seconds=parse_span(str(entry.get("keepDuration") or (spans or ["0"])[0])),
        reserved_bytes=parse_size(str(entry.get("reservedSpace") or entry.get("keepStorage") or 0)),
        max_used_bytes=parse_size(str(entry.get("maxUsedSpace") or 0)),
        min_free_bytes=parse_size(str(entry.get("minFreeSpace") or 0)),
    )


def _printed_rule(fields: Mapping[str, str]) -> GcRule:
    return GcRule(
        takes_all=fields.get("All") == "true",
        kinds=_kinds(fields.get("Filters", "").split(",")),
        unused_seconds=parse_span(fields.get("Keep Duration", "0")),
        reserved_bytes=parse_printed_size(fields.get("Reserved Space") or fields.get("Keep Bytes") or "0"),
        max_used_bytes=parse_printed_size(fields.get("Max Used Space", "0")),
        min_free_bytes=parse_printed_size(fields.get("Min Free Space", "0")),
    )


def _fields(block: str) -> Iterator[tuple[str, str]]:
    for line in block.splitlines():
        name, sign, value = line.strip().partition(":")
        if not line.startswith(" ") or not sign:
            return
        yield name, value.strip()


def _filters(value: Any) -> list[str]:
    """The filter of a policy: a list of texts, or a map of names to values, as dockerd takes both."""
    if isinstance(value, Mapping):
        return [f"{name}={one}" for name, values in value.items() for one in values]
    return [part for text in value for part in str(text).split(",")]


def _kinds(filters: Sequence[str]) -> tuple[str, ...]:
    return tuple(re.split("=+", text)[1] for text in filters if re.match("type=+", text))


def _is_older(server_version: str, than: tuple[int, ...]) -> bool:
    numbers = parse_version(server_version)
    return bool(numbers) and numbers < than


def _is_same(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return bool(value == wanted)
    return math.isclose(value, wanted, rel_tol=ROUNDING)
