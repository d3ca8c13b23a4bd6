"""The records of the engine's build cache."""

from typing import Any

import pytest

from layerstack.engine import cache_records as cache
from layerstack.engine.api import EngineGone
from layerstack.errors import EngineError


class Engine:
    """An engine with a build cache."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.build_cache = lambda: self.records


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    found = Engine()
    monkeypatch.setattr(cache, "read_disk_use", lambda kind: {kind: found.build_cache()})
    return found


def record(size: int, **fields: Any) -> dict[str, Any]:
    return {"ID": f"r{size}", "Type": "regular", "Size": size, "LastUsedAt": "2026-11-20T12:00:00Z", **fields}


def test_shared_and_used_records_are_counted_but_not_reclaimable(engine: Engine) -> None:
    engine.records = [record(1), record(20, InUse=True), record(300, Shared=True)]
    use = cache.read_cache()
    assert (use.total_bytes, use.reclaimable_bytes) == (321, 1)
    document = use.to_json()
    assert document["total_bytes"] == 321
    assert [one["bytes"] for one in document["records"]] == [1, 20, 300]


def test_an_empty_or_odd_answer_is_an_empty_cache(engine: Engine) -> None:
    engine.build_cache = list
    assert cache.read_cache().total_bytes == 0
    engine.build_cache = lambda: [{"ID": "x"}]
    assert cache.read_cache().records[0].size_bytes == 0


def test_an_engine_that_fails_is_an_engine_error(engine: Engine) -> None:
    def fail() -> None:
        raise EngineGone("gone")

    engine.build_cache = fail
    with pytest.raises(EngineError, match="gone"):
        cache.read_cache()


@pytest.mark.parametrize("name", ["Parents", " Parents"])
def test_parents_are_read_however_the_engine_spells_them(engine: Engine, name: str) -> None:
    engine.records = [record(1, **{name: ["low"]}, UsageCount=3)]
    found = cache.read_cache().records[0]
    assert (found.parents, found.usage_count) == (("low",), 3)
    assert cache.read_cache().to_json()["records"][0]["parents"] == ("low",)
