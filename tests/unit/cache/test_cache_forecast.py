"""Whether an image's cache survives, and the settings that keep it."""

import json

import pytest
from cache_parts import GB, OLD, builder, limits, record

from layerstack.cache import cache_forecast, gc_policy
from layerstack.cache.builder import Builder
from layerstack.cache.cache_forecast import Forecast
from layerstack.cache.cached_steps import CachedStep
from layerstack.cache.eviction import Eviction
from layerstack.dockerfile.recipe_stage import RecipeLine
from layerstack.engine.cache_records import CacheRecord

TORCH = record("torch", size=11 * GB, is_shared=True, last_used=OLD)
NEWER = record("newer", size=30 * GB, is_shared=True)


def step(held: CacheRecord | None, is_layer: bool = True) -> CachedStep:
    return CachedStep("runtime", RecipeLine("RUN", "pip install torch", 7), is_layer, held)


def ask(found: Builder, *steps: CachedStep, records: tuple[CacheRecord, ...] = (TORCH, NEWER)) -> Forecast:
    return cache_forecast.forecast(steps, Eviction(records, found.layer_rule), found)


def test_a_wide_disk_is_safe_and_says_how_long() -> None:
    found = ask(builder(free=200 * GB), step(TORCH))
    assert found.status == "safe"
    # The least free space is 51 GB.
    assert found.bytes_until is not None
    assert abs(found.bytes_until - 149 * GB) < 10**6
    assert "149.00 GB" in found.detail


def test_a_disk_that_is_too_full_drops_the_oldest_layer_next() -> None:
    found = ask(builder(free=45 * GB), step(TORCH), step(NEWER))
    assert (found.status, found.bytes_until) == ("would-drop", 0)
    assert "pip install torch" in found.detail
    assert "51.00 GB of the disk are free" in found.detail


def test_little_room_is_a_risk() -> None:
    found = ask(builder(free=60 * GB), step(TORCH))
    assert found.status == "at-risk"
    assert found.bytes_until is not None
    assert abs(found.bytes_until - 9 * GB) < 10**6


def test_a_cache_below_the_reserve_outlives_a_full_disk() -> None:
    small = record("small", size=GB, is_shared=True)
    assert ask(builder(free=10 * GB), step(small), records=(small,)).status == "safe"


def test_a_missing_layer_is_lost_and_a_missing_copy_is_not() -> None:
    assert ask(builder(free=200 * GB), step(TORCH), step(None)).status == "lost"
    assert ask(builder(free=200 * GB), step(TORCH), step(None, is_layer=False)).status == "safe"


def test_a_disk_elsewhere_is_said_to_be_unknown() -> None:
    assert ask(builder(free=None), step(TORCH)).status == "unknown"
    full = (TORCH, record("huge", size=300 * GB, is_shared=True))
    assert ask(builder(free=None), step(TORCH), records=full).status == "would-drop"


SIZES = ("ReservedSpace", "MaxUsedSpace", "MinFreeSpace")


def settings(found: Builder) -> str:
    return cache_forecast.keeping_settings(frozenset({"torch"}), Eviction((TORCH, NEWER), found.layer_rule), found)


@pytest.mark.parametrize("free", [0, 20 * GB, 45 * GB])
def test_the_proposed_settings_keep_what_would_be_dropped(free: int) -> None:
    before = builder(free=free)
    assert ask(before, step(TORCH)).status == "would-drop"
    gc = json.loads(settings(before))["builder"]["gc"]
    # dockerd reads `46GB` as 46 GiB.
    sizes = (int(gc[f"default{name}"].removesuffix("GB")) << 30 for name in SIZES)
    assert ask(builder(limits(*sizes), free=free), step(TORCH)).status != "would-drop"


def test_all_three_limits_are_proposed() -> None:
    gc = json.loads(settings(builder()))["builder"]["gc"]
    # 41 GB and a fifth more, in GiB; twice the reserve or what was allowed before; 51 GB.
    assert gc == {
        "enabled": True,
        "defaultReservedSpace": "46GB",
        "defaultMaxUsedSpace": "189GB",
        "defaultMinFreeSpace": "48GB",
    }


def test_an_old_engine_knows_one_limit() -> None:
    gc = json.loads(settings(builder(limits(26 * GB), server_version="27.5.1")))["builder"]["gc"]
    assert gc == {"enabled": True, "defaultKeepStorage": "46GB"}


@pytest.mark.parametrize("version", ["27.5.1", "28.5.2"])
def test_without_bases_and_without_a_policy_there_is_nothing_to_set(version: str) -> None:
    found = builder((), server_version=version)
    assert cache_forecast.keeping_settings(frozenset(), Eviction((TORCH,), None), found) == ""
    # A step that wrote no file.
    empty = record("env", is_shared=True)
    assert '"1GB"' in cache_forecast.keeping_settings(frozenset({"env"}), Eviction((empty,), None), found)


def test_a_builder_in_a_container_has_a_file_of_its_own() -> None:
    text = settings(builder(limits(10 * GB, 100 * GB, 51 * GB), driver="docker-container"))
    assert text.splitlines()[0] == "[worker.oci]"
    assert '  reservedSpace = "46GB"' in text


def test_rules_in_words() -> None:
    found = builder()
    assert "exceeds 202.00 GB" in found.rules[-1].words
    assert "down to 5.00 GB" in gc_policy.GcRule(reserved_bytes=5 * GB).words
