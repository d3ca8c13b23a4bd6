"""What the next garbage collection drops, and in which order."""

from cache_parts import GB, OLD, record

from layerstack.cache.eviction import Eviction, leaves_first
from layerstack.cache.gc_policy import GcRule
from layerstack.engine.cache_records import CacheRecord

AGED = [record(f"day{day}", size=10, last_used=f"2026-11-0{day}T00:00:00Z") for day in (3, 1, 2)]


def dropped(*records: CacheRecord, rule: GcRule | None, free: int | None = None, new: int = 0) -> set[str]:
    return set(Eviction(records, rule).dropped(free, new))


def test_nothing_goes_before_what_is_built_on_it() -> None:
    parents = {"low": "", "middle": "low", "high": "middle"}
    records = [record(name, parents=below) for name, below in parents.items()]
    assert [one.id for one in leaves_first(records, {"low": 1, "middle": 2, "high": 3})] == ["high", "middle", "low"]


def test_the_oldest_goes_first_until_the_cache_fits() -> None:
    assert dropped(*AGED, rule=GcRule(max_used_bytes=25)) == {"day1"}
    assert dropped(*AGED, rule=GcRule(max_used_bytes=15)) == {"day1", "day2"}
    assert dropped(*AGED, rule=GcRule(max_used_bytes=31)) == set()
    assert dropped(*AGED, rule=GcRule(max_used_bytes=31), new=5) == {"day1"}


def test_a_disk_that_is_too_full_costs_what_is_missing_down_to_the_reserve() -> None:
    rule = GcRule(reserved_bytes=15, max_used_bytes=100, min_free_bytes=50)
    assert dropped(*AGED, rule=rule, free=50) == set()
    assert dropped(*AGED, rule=rule, free=45) == {"day1"}
    assert dropped(*AGED, rule=rule, free=0) == {"day1", "day2"}


def test_what_is_used_now_stays() -> None:
    assert dropped(record("used", size=10, is_in_use=True), rule=GcRule(max_used_bytes=1)) == set()


def test_how_much_newer_cache_fits_is_exact_enough() -> None:
    found = Eviction(
        [record("first", size=GB, last_used=OLD), record("second", size=GB)], GcRule(max_used_bytes=10 * GB)
    )
    room = found.bytes_until(frozenset({"second"}), 100 * GB)
    # first goes at 8 GB more, second when a further one is used.
    assert room is not None
    assert abs(room - 9 * GB) < 10**6
    assert found.bytes_until(frozenset({"other"}), 100 * GB) is None
    assert found.bytes_until(frozenset({"second"}), None) is None


def test_what_is_kept_longest_are_the_named_ones_and_all_that_goes_later() -> None:
    found = Eviction(AGED, GcRule(max_used_bytes=1))
    assert found.kept_longest(frozenset({"day2"})) == 20
    assert found.kept_longest(frozenset()) == 0


def test_without_garbage_collection_nothing_goes() -> None:
    assert dropped(record("a", size=1), rule=None) == set()
