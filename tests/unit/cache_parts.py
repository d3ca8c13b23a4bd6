"""Builders, steps and records of a build cache for tests."""

from dataclasses import replace
from typing import Any

from layerstack.cache.builder import Builder, Disk
from layerstack.cache.gc_policy import GcRule, Rules
from layerstack.dockerfile.recipe_stage import RecipeLine, RecipeStage
from layerstack.engine.cache_records import CacheRecord

GB = 10**9
MOUNT_TYPES = ("source.local", "exec.cachemount", "source.git.checkout")
DISK_BYTES = 270_553_174_016
RECENT, OLD = "2026-11-20T12:00:00.5Z", "2026-08-01T12:00:00Z"


def record(name: str, description: str = "", size: int = 0, **fields: Any) -> CacheRecord:
    """A record of an image's layer unless told otherwise; `parents` as words."""
    given = {"kind": "regular", "is_in_use": False, "is_shared": False, "last_used": RECENT, "usage_count": 1, **fields}
    given["parents"] = tuple(str(given.get("parents", "")).split())
    return CacheRecord(name, given.pop("kind"), description or name, size, **given)


def limits(reserved: int, max_used: int = 0, min_free: int = 0) -> Rules:
    """The four rules of an engine with these limits."""
    everything = GcRule(True, (), 0.0, reserved, max_used, min_free)
    common = replace(everything, takes_all=False)
    mounts = GcRule(kinds=MOUNT_TYPES, unused_seconds=48 * 3600.0, max_used_bytes=reserved * 138 // 1000)
    return mounts, replace(common, unused_seconds=60 * 24 * 3600.0), common, everything


# What Engine 28.5.2 prints for a disk of that size.
RULES = limits(26 * GB, 202 * GB, 51 * GB)


def builder(rules: Rules | None = None, free: int | None = 100 * GB, **fields: Any) -> Builder:
    """The engine's own, of a 252 GiB disk."""
    found = RULES if rules is None else rules
    disk = Disk(DISK_BYTES if free is not None else None, free)
    given = {"name": "default", "driver": "docker", "server_version": "28.5.2", **fields}
    return Builder(rules=found, disk=disk, **given)


def stage(name: str, base: str, *lines: str, on_stage: bool = False) -> RecipeStage:
    """A stage whose steps stand on lines 1, 2, …"""
    split = [line.split(" ", 1) for line in lines]
    parsed = tuple(RecipeLine(keyword, text, number) for number, (keyword, text) in enumerate(split, 1))
    return RecipeStage(name, base, on_stage, "", "", parsed)
