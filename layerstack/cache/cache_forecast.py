"""Whether the cache of each image survives the next garbage collection, and the settings that would keep it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from layerstack.cache.builder import Builder
from layerstack.cache.cached_steps import CachedStep
from layerstack.cache.eviction import Eviction
from layerstack.cache.gc_policy import GIBIBYTE, THREE_LIMITS_ENGINE, GcRule
from layerstack.engine.engine import parse_version
from layerstack.wording import megabytes, short

Status = Literal["safe", "at-risk", "would-drop", "lost", "not-built", "unknown"]
# Less room than this share of the disk is a risk.
RISK_SHARE = 0.1
# The next builds need a little more than what is cached now.
HEADROOM = 1.2


@dataclass(frozen=True)
class Forecast:
    """The forecast for one image; `bytes_until` is how much more cache fits until one of its layers is dropped."""

    status: Status
    detail: str
    bytes_until: int | None = None


def forecast(steps: Sequence[CachedStep], eviction: Eviction, builder: Builder) -> Forecast:
    """The forecast for a stored image; only the steps that are its layers count."""
    layers = [step for step in steps if step.is_layer]
    missing = [step for step in layers if step.record is None]
    if missing:
        what = f"`{short(str(missing[0].line), 60)}` is no longer cached"
        return Forecast("lost", f"{what}; the image is here, and services are built on it")
    ids = frozenset(step.record.id for step in layers if step.record)
    free = builder.disk.free_bytes
    gone = eviction.dropped(free)
    if found := ids & gone:
        first = next(step for step in layers if step.record and step.record.id in found)
        return Forecast("would-drop", f"the next clean-up removes `{short(str(first.line), 50)}`: {_words(builder)}", 0)
    if free is None or not builder.disk.total_bytes:
        return Forecast("unknown", "its size is no risk; the free space of the disk is unknown")
    room = eviction.bytes_until(ids, free)
    if room is None:
        return Forecast("safe", "other cache is removed first, even when the disk is full")
    text = f"until about {megabytes(room)} more are used on the disk"
    if room >= builder.disk.total_bytes * RISK_SHARE:
        return Forecast("safe", text, room)
    return Forecast("at-risk", f"only {text}: {_words(builder)}", room)


def _words(builder: Builder) -> str:
    return builder.layer_rule.words if builder.layer_rule else ""


def keeping_settings(ids: frozenset[str], eviction: Eviction, builder: Builder) -> str:
    """The lines for `builder.config_file` that keep these records until the disk is full; "" where there are none.

    All three limits are given: with only one the engine takes the others for 0 and always cuts to the reserve.
    """
    if not ids:
        return ""
    limits = builder.layer_rule or GcRule()
    # Everything that is used more recently than these records stays longer, so the reserve has to hold that, too.
    reserved = math.ceil(max(eviction.kept_longest(ids), limits.reserved_bytes, 1) * HEADROOM)
    sizes = {
        "ReservedSpace": reserved,
        "MaxUsedSpace": max(limits.max_used_bytes, 2 * reserved) if limits.max_used_bytes else 0,
        "MinFreeSpace": limits.min_free_bytes,
    }
    # dockerd reads `46GB` as 46 GiB.
    given = {name: f"{math.ceil(size / GIBIBYTE)}GB" for name, size in sizes.items() if size}
    if not builder.is_engine:
        lines = [f'  {name[0].lower()}{name[1:]} = "{size}"' for name, size in given.items()]
        return "\n".join(["[worker.oci]", "  gc = true", *lines])
    if parse_version(builder.server_version) < THREE_LIMITS_ENGINE:
        named: Mapping[str, Any] = {"defaultKeepStorage": given["ReservedSpace"]}
    else:
        named = {f"default{name}": size for name, size in given.items()}
    return json.dumps({"builder": {"gc": {"enabled": True, **named}}}, indent=2)
