"""The engine's rules for its build cache: documented defaults, daemon.json, and what Buildx prints."""

import math

import pytest
from cache_parts import DISK_BYTES, GB

from layerstack.cache import gc_policy
from layerstack.cache.gc_policy import MOUNT_TYPES, GcRule

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


def test_the_defaults_of_the_engine_are_what_a_real_one_prints() -> None:
    printed = gc_policy.parse_rules(PRINTED)
    assert printed
    assert gc_policy.differences(printed, gc_policy.engine_rules(DISK_BYTES, "28.5.2")) == []


def test_the_shares_of_the_disk_are_the_documented_ones() -> None:
    mounts, old, common, everything = gc_policy.engine_rules(1000 * GIB)
    # 10, 80 and 20 percent, in whole gibibytes plus one, counted as gigabytes.
    assert (common.reserved_bytes, common.max_used_bytes, common.min_free_bytes) == (101 * GB, 801 * GB, 201 * GB)
    assert (old.unused_seconds, common.unused_seconds) == (60 * 24 * 3600, 0)
    assert [rule.takes_all for rule in (mounts, old, common, everything)] == [False, False, False, True]
    assert (mounts.kinds, mounts.unused_seconds) == (MOUNT_TYPES, 48 * 3600)
    assert math.isclose(mounts.max_used_bytes, 101 * GB * 0.138, rel_tol=0.002)


def test_a_small_disk_keeps_512_megabytes_of_mounts() -> None:
    assert gc_policy.engine_rules(20 * GIB)[0].max_used_bytes == 512 * 10**6


def test_engines_before_28_have_the_reserve_only() -> None:
    rule = gc_policy.engine_rules(1000 * GIB, "27.5.1")[2]
    assert (rule.reserved_bytes, rule.max_used_bytes, rule.min_free_bytes) == (101 * GB, 0, 0)


@pytest.mark.parametrize(
    ("disk", "reserved", "max_used", "min_free"),
    [(1000 * GIB, 10 * GB, 100 * GB, 201 * GB), (50 * GIB, 6 * GB, 41 * GB, 11 * GB)],
)
def test_a_builder_in_a_container_is_capped(disk: int, reserved: int, max_used: int, min_free: int) -> None:
    mounts, *_, everything = gc_policy.container_rules(disk)
    assert mounts.max_used_bytes == 512 * 10**6
    found = (everything.reserved_bytes, everything.max_used_bytes, everything.min_free_bytes)
    assert found == (reserved, max_used, min_free)


def test_old_buildx_prints_one_figure() -> None:
    rules = gc_policy.parse_rules(OLD_PRINTED)
    assert rules
    assert [rule.reserved_bytes for rule in rules] == [2_764_000_000, 20 * GB]
    assert rules[0].kinds == MOUNT_TYPES
    assert rules[1].takes_all


def test_no_policy_is_not_an_empty_one() -> None:
    assert gc_policy.parse_rules("Name: default\nDriver: docker\n") is None


def configured(**settings: object) -> gc_policy.Rules:
    return gc_policy.configured_rules({"builder": {"gc": settings}}, DISK_BYTES, "28.5.2")


def test_a_daemon_json_without_limits_has_the_defaults() -> None:
    defaults = gc_policy.engine_rules(DISK_BYTES)
    assert gc_policy.configured_rules({}, DISK_BYTES) == defaults
    assert configured(enabled=True) == defaults


def test_garbage_collection_can_be_off() -> None:
    assert configured(enabled=False) == ()


def test_one_limit_alone_sets_the_others_to_nothing() -> None:
    for name in ("defaultKeepStorage", "defaultReservedSpace"):
        rule = configured(**{name: "40GB"})[2]
        assert rule == GcRule(reserved_bytes=40 * GIB)


def test_all_three_limits_are_taken() -> None:
    rule = configured(defaultReservedSpace="30GB", defaultMaxUsedSpace="120GB", defaultMinFreeSpace="10GB")[3]
    assert rule == GcRule(True, (), 0.0, 30 * GIB, 120 * GIB, 10 * GIB)


@pytest.mark.parametrize(
    "filters", [["unused-for=48h", "type=exec.cachemount"], {"unused-for": ["48h"], "type": ["exec.cachemount"]}]
)
def test_a_policy_of_ones_own(filters: object) -> None:
    first, second = configured(policy=[{"keepStorage": "5GB", "filter": filters}, {"all": True, "maxUsedSpace": "1TB"}])
    assert first == GcRule(kinds=("exec.cachemount",), unused_seconds=48 * 3600, reserved_bytes=5 * GIB)
    assert second == GcRule(takes_all=True, max_used_bytes=1024 * GIB)


def test_a_size_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="40 apples"):
        configured(defaultReservedSpace="40 apples")


def test_differences_are_named() -> None:
    found = gc_policy.differences(configured(defaultReservedSpace="40GB"), gc_policy.engine_rules(DISK_BYTES))
    assert any("rule 2: reserved_bytes is 42949672960 instead of 26000000000" in text for text in found)
    assert gc_policy.differences((GcRule(),), ()) == ["1 rules instead of 0"]


def test_mounts_are_kept_by_engines_that_cannot_apply_their_rule() -> None:
    rules = gc_policy.engine_rules(DISK_BYTES)
    assert gc_policy.enforced(rules, "28.5.2") == rules[1:]
    assert gc_policy.enforced(rules, "29.6.0") == rules
    assert gc_policy.enforced(rules, "") == rules


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


@pytest.mark.parametrize(("text", "size"), [("10", 10), ("1.5k", 1536), ("40GB", 40 * GIB), ("40 GiB", 40 * GIB)])
def test_sizes_of_a_daemon_json_are_binary(text: str, size: int) -> None:
    assert gc_policy.parse_size(text) == size


@pytest.mark.parametrize(("text", "size"), [("0B", 0), ("1.5GB", 1_500_000_000), ("2GiB", 2 * GIB)])
def test_printed_sizes_are_what_their_unit_says(text: str, size: int) -> None:
    assert gc_policy.parse_printed_size(text) == size


@pytest.mark.parametrize(("text", "seconds"), [("48h0m0s", 172_800), ("1m30s", 90), ("172800", 172_800), ("0", 0)])
def test_spans(text: str, seconds: float) -> None:
    assert gc_policy.parse_span(text) == seconds
