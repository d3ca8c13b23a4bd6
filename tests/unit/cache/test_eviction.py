"""What the next garbage collection drops, and in which order."""

from datetime import datetime, timezone

from cache_parts import GB, OLD, RECENT, record

from layerstack.cache.eviction import Eviction
from layerstack.cache.gc_policy import GcRule

NOW = datetime(2026, 11, 20, 13, tzinfo=timezone.utc).timestamp()
TO_NOTHING = GcRule(max_used_bytes=1)


def dropped(*records, rules=(TO_NOTHING,), free=None, new=0):  # type: ignore[no-untyped-def]
    return list(Eviction(records, rules, NOW).dropped(free, new))


def test_nothing_goes_before_what_is_built_on_it() -> None:
    low, middle, high = (
        record("low", size=1),
        record("middle", size=1, parents="low"),
        record("high", size=1, parents="middle"),
    )
    assert dropped(low, high, middle) == ["high", "middle", "low"]


def test_the_oldest_goes_first_and_use_counts_as_much_as_age() -> None:
    ages = [record(f"day{day}", size=1, last_used=f"2026-11-0{day}T00:00:00Z") for day in (3, 1, 2)]
    assert dropped(*ages) == ["day1", "day2", "day3"]
    uses = [record(f"uses{count}", size=1, usage_count=count) for count in (5, 1, 3)]
    assert dropped(*uses) == ["uses1", "uses3", "uses5"]
    busy = record("busy", size=1, last_used="2026-11-01T00:00:00Z", usage_count=9)
    assert dropped(busy, record("idle", size=1, last_used="2026-11-02T00:00:00Z", usage_count=1)) != ["busy"]


def test_it_stops_as_soon_as_the_cache_fits() -> None:
    records = [record(f"r{day}", size=10, last_used=f"2026-11-0{day}T00:00:00Z") for day in (1, 2, 3)]
    assert dropped(*records, rules=(GcRule(max_used_bytes=25),)) == ["r1"]
    assert dropped(*records, rules=(GcRule(max_used_bytes=31),)) == []
    assert dropped(*records, rules=(GcRule(max_used_bytes=31),), new=5) == ["r1"]


def test_a_disk_that_is_too_full_costs_what_is_missing_down_to_the_reserve() -> None:
    records = [record(f"r{day}", size=10, last_used=f"2026-11-0{day}T00:00:00Z") for day in (1, 2, 3, 4)]
    rule = GcRule(reserved_bytes=15, max_used_bytes=100, min_free_bytes=50)
    assert dropped(*records, rules=(rule,), free=50) == []
    assert dropped(*records, rules=(rule,), free=45) == ["r1"]
    assert dropped(*records, rules=(rule,), free=0) == ["r1", "r2", "r3"]


def test_layers_of_images_go_by_the_last_rule_only_and_count_there_only() -> None:
    layer, own = record("layer", size=10, is_shared=True), record("own", size=10)
    assert dropped(layer, own, rules=(GcRule(max_used_bytes=5),)) == ["own"]
    assert dropped(layer, own, rules=(GcRule(max_used_bytes=15),)) == []
    assert set(dropped(layer, own, rules=(GcRule(takes_all=True, max_used_bytes=5),))) == {"layer", "own"}


def test_what_is_used_now_stays() -> None:
    assert dropped(record("used", size=10, is_in_use=True), record("frontend", size=10, kind="frontend")) == []


def test_a_rule_with_an_age_takes_what_is_older() -> None:
    rule = GcRule(unused_seconds=48 * 3600)
    assert dropped(record("old", size=1, last_used=OLD), record("new", size=1, last_used=RECENT), rules=(rule,)) == [
        "old"
    ]


def test_a_rule_for_kinds_takes_only_these() -> None:
    mount = record("mount", size=1, kind="exec.cachemount")
    assert dropped(mount, record("step", size=1), rules=(GcRule(kinds=("exec.cachemount",), max_used_bytes=1),)) == [
        "mount"
    ]


def test_a_later_rule_sees_what_an_earlier_one_freed() -> None:
    old, new = record("old", size=10, last_used=OLD), record("new", size=10)
    rules = (GcRule(unused_seconds=48 * 3600), GcRule(max_used_bytes=100, min_free_bytes=20))
    assert Eviction([old, new], rules, NOW).dropped(10) == {"old": 0}
    assert Eviction([old, new], rules, NOW).dropped(5) == {"old": 0, "new": 1}


def test_how_much_newer_cache_fits_is_exact_enough() -> None:
    first, second = record("first", size=GB, last_used=OLD), record("second", size=GB)
    found = Eviction([first, second], (GcRule(max_used_bytes=10 * GB),), NOW)
    room = found.bytes_until(lambda gone: "second" in gone, 100 * GB)
    # first goes at 8 GB more, second when a further one is used.
    assert room is not None
    assert abs(room - 9 * GB) < 10**6
    assert found.bytes_until(lambda gone: "other" in gone, 100 * GB) is None
    assert found.bytes_until(lambda gone: True, None) is None


def test_what_is_kept_longest_are_the_named_ones_and_all_that_goes_later() -> None:
    records = [record(f"r{day}", size=day, last_used=f"2026-11-0{day}T00:00:00Z") for day in (1, 2, 4)]
    found = Eviction(records, (TO_NOTHING,), NOW)
    assert found.kept_longest(frozenset({"r2"})) == 6
    assert found.kept_longest(frozenset()) == 0


def test_no_rules_drop_nothing() -> None:
    assert dropped(record("a", size=1), rules=()) == []
