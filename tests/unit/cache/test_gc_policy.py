"""The rules of garbage collection that Buildx prints."""

import pytest
from cache_parts import GB, MOUNT_TYPES

from layerstack.cache import gc_policy
from layerstack.cache.gc_policy import GcRule

GIB = 1 << 30
# `docker buildx inspect` of Engine 28.5.2 with Buildx 0.29.1 on a disk of 270,553,174,016 bytes.
PRINTED = """\
Name:          default
Driver:        docker

Nodes:
Name:             default
Labels:
 org.mobyproject.buildkit.worker.moby.host-gateway-ip: 172.17.0.1
GC Policy rule#0:
 All:            false
 Filters:        type==source.local,type==exec.cachemount,type==source.git.checkout
 Keep Duration:  48h0m0s
 Max Used Space: 3.346GiB
GC Policy rule#1:
 All:            false
 Keep Duration:  1440h0m0s
 Reserved Space: 24.21GiB
 Max Used Space: 188.1GiB
 Min Free Space: 47.5GiB
GC Policy rule#2:
 All:            false
 Reserved Space: 24.21GiB
 Max Used Space: 188.1GiB
 Min Free Space: 47.5GiB
GC Policy rule#3:
 All:            true
 Reserved Space: 24.21GiB
 Max Used Space: 188.1GiB
 Min Free Space: 47.5GiB
"""
OLD_PRINTED = """\
GC Policy rule#0:
 All:           false
 Filters:       type==source.local,type==exec.cachemount,type==source.git.checkout
 Keep Duration: 48h0m0s
 Keep Bytes:    2.764GB
GC Policy rule#1:
 All:           true
 Keep Bytes:    20GB
File#buildkitd.toml:
 > debug = false
"""


def test_four_rules_of_a_real_engine() -> None:
    mounts, old, common, everything = gc_policy.parse_rules(PRINTED)
    assert (mounts.kinds, mounts.unused_seconds) == (MOUNT_TYPES, 48 * 3600)
    assert (old.unused_seconds, common.unused_seconds) == (60 * 24 * 3600, 0)
    assert [rule.takes_all for rule in (mounts, old, common, everything)] == [False, False, False, True]
    sizes = (everything.reserved_bytes, everything.max_used_bytes, everything.min_free_bytes)
    assert [round(size / GB) for size in sizes] == [26, 202, 51]


def test_old_buildx_prints_one_figure() -> None:
    rules = gc_policy.parse_rules(OLD_PRINTED)
    assert [rule.reserved_bytes for rule in rules] == [2_764_000_000, 20 * GB]
    assert rules[0].kinds == MOUNT_TYPES
    assert rules[1].takes_all


def test_a_builder_without_garbage_collection_has_no_rules() -> None:
    assert gc_policy.parse_rules("Name: default\nDriver: docker\n") == ()


@pytest.mark.parametrize(
    ("rule", "cache", "free", "keep"),
    [
        (GcRule(reserved_bytes=10, max_used_bytes=80, min_free_bytes=20), 50, 60, 80),
        (GcRule(reserved_bytes=10, max_used_bytes=80, min_free_bytes=20), 50, 5, 35),
        (GcRule(reserved_bytes=10, max_used_bytes=80, min_free_bytes=20), 15, 0, 10),
        (GcRule(reserved_bytes=10, max_used_bytes=80, min_free_bytes=20), 95, None, 80),
        (GcRule(reserved_bytes=10), 50, 60, 10),
        (GcRule(min_free_bytes=20), 50, 60, 51),
        (GcRule(min_free_bytes=20), 50, 15, 45),
        (GcRule(unused_seconds=1), 50, 60, 0),
    ],
)
def test_down_to_what_a_rule_cuts(rule: GcRule, cache: int, free: int | None, keep: int) -> None:
    assert rule.keep_bytes(cache, free) == keep


@pytest.mark.parametrize(("text", "size"), [("0B", 0), ("1.5GB", 1_500_000_000), ("2GiB", 2 * GIB)])
def test_printed_sizes_are_what_their_unit_says(text: str, size: int) -> None:
    assert gc_policy.parse_printed_size(text) == size
