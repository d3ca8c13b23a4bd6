"""The bytes that are cheapest to build again go first, never a base or what another stack uses; the cost is told."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cache_parts
import fake_docker
import pytest
from cache_parts import record

from layerstack.build import history
from layerstack.build.record import BuildRecord, ImageRecord, StepRecord
from layerstack.cache import room
from layerstack.cache.room import RoomPlan, StepCosts, choose, make_room, parse_size
from layerstack.engine.cache_records import CacheRecord, CacheUse
from layerstack.engine.images import StoredImage
from layerstack.errors import NoRoom, UsageError

RUN = "mount / from exec /bin/sh -c "


def names(records: list[CacheRecord], seconds: dict[str, float | None], missing: int, *kept: str) -> list[str]:
    return [one.id for one in choose(records, seconds, frozenset(kept), missing)]


def test_the_fewest_seconds_a_byte_go_first_until_it_is_enough() -> None:
    records = [record("dear", size=100), record("cheap", size=100), record("small", size=1), record("free", size=10)]
    seconds = {"dear": 500.0, "cheap": 10.0, "small": 0.5, "free": 0.0}
    assert names(records, seconds, 10) == ["free"]
    assert names(records, seconds, 50) == ["free", "cheap"]
    assert names(records, seconds, 10_000) == ["free", "cheap", "small", "dear"]


def test_bases_and_what_is_used_stay_and_so_does_what_they_are_built_on() -> None:
    records = [
        record("below", size=100),
        record("base", size=100, parents="below"),
        record("layer", size=100, is_shared=True),
        record("running", size=100, is_in_use=True),
        record("other", size=100),
    ]
    assert names(records, dict.fromkeys(("below", "base", "layer", "running", "other"), 1.0), 9999, "base") == ["other"]


def test_a_record_goes_after_those_that_are_built_on_it() -> None:
    records = [record("below", size=1000), record("above", size=1, parents="below")]
    assert names(records, {"below": 0.1, "above": 900.0}, 500) == ["above", "below"]


def test_an_unknown_time_counts_as_a_usual_one() -> None:
    records = [record(name, size=100) for name in ("dear", "cheap", "unknown", "usual")]
    seconds = {"dear": 900.0, "cheap": 1.0, "usual": 50.0, "unknown": None}
    order = names(records, seconds, 9999)
    assert (order[0], order[-1]) == ("cheap", "dear")
    assert set(names(records[2:3], {"unknown": None}, 1)) == {"unknown"}


@pytest.mark.parametrize(
    ("description", "seconds"),
    [
        (f"{RUN}npm ci", 30.0),
        ("mount / from exec /bin/bash -euo pipefail -c npm ci", 30.0),
        ("[web 3/5] COPY --chmod=0644 package.json ./", 0.5),
        (f"{RUN}set -eu;   apt-get update", 12.0),
        (f"{RUN}pip install --no-deps {'x' * 80} --one", 90.0),
        (f"{RUN}npm run build", None),
        ("[web 3/5] COPY . .", None),
    ],
)
def test_costs_come_from_the_history_of_every_project(tmp_path: Path, description: str, seconds: float | None) -> None:
    def remember(root: Path, **times: float) -> None:
        steps = tuple(StepRecord(step=step, is_cached=False, seconds=time) for step, time in times.items())
        root.mkdir(exist_ok=True)
        history.append_build(root, BuildRecord(images=(ImageRecord(image="web", action="built", steps=steps),)))

    install = f"1/4 RUN --mount=type=cache,target=/var/cache/pip pip install --no-deps {'x' * 80} --one"
    remember(tmp_path / "one", **{"deps 2/5 RUN --mount=type=cache,target=/c npm ci": 20.0, install: 90.0})
    remember(tmp_path / "two", **{"2/9 RUN npm ci": 40.0, "web 3/5 COPY --chmod=0644 package.json ./": 0.5})
    remember(tmp_path / "two", **{"2/9 RUN set -eu; apt-get update": 12.0})
    assert StepCosts().of(record("r", description, 5)) == seconds


def test_contexts_are_sent_again_for_nothing_and_cache_mounts_are_not_known() -> None:
    costs = StepCosts()
    assert costs.of(record("r", "local source for context", kind="source.local")) == 0.0
    assert costs.of(record("r", f"cached mount /c from exec {RUN}npm ci", kind="exec.cachemount")) is None


@pytest.mark.parametrize(("text", "size"), [("20GB", 20 * 10**9), ("1.5 GiB", 3 * 2**29), ("500 MB", 5 * 10**8)])
def test_a_size_is_read_as_docker_prints_it(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-5GB", "20 apples", "20", "1.5 "])
def test_what_is_no_size_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError):
        parse_size(text)


def planned(*records: CacheRecord, free: int | None, wanted: int) -> RoomPlan:
    freed = sum(one.size_bytes for one in records)
    return RoomPlan(wanted, free, cache_parts.builder(), (), records, freed, 75.0, 1)


def test_the_question_names_the_cost() -> None:
    said = "\n".join(planned(record("r", f"{RUN}npm ci", 3_000_000), free=0, wanted=4_000_000).sentences())
    for words in ("75 s to build again", "1 of unknown time", "RUN npm ci", "3 MB in all"):
        assert words in said


def test_records_are_removed_in_rounds_and_too_little_room_is_exit_code_7(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = fake_docker.install(tmp_path, monkeypatch)
    docker.answers("buildx prune *")
    above, below = record("above", size=5, parents="below"), record("below", size=5)
    # The first look is before anything is removed; one with children goes in the second round.
    looks = iter([(above, below), (below,), (), ()])
    monkeypatch.setattr(room, "read_use", lambda _builder: CacheUse(next(looks)))
    free: Any = SimpleNamespace(disk_free_bytes=8)
    monkeypatch.setattr(room.engine, "read_facts", lambda: free)
    with pytest.raises(NoRoom) as caught:
        make_room(planned(above, below, free=0, wanted=10))
    assert caught.value.exit_code == 7
    assert [call for call in docker.calls if "prune" in call] == [
        "buildx prune --force --all --filter id=^(above|below)$",
        "buildx prune --force --all --filter id=^(below)$",
    ]


def test_layers_of_a_removed_image_go_with_it_and_those_of_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = fake_docker.install(tmp_path, monkeypatch)
    docker.answers("buildx prune *")
    monkeypatch.setattr(room.images, "remove", list)
    monkeypatch.setattr(room.engine, "read_facts", lambda: SimpleNamespace(disk_free_bytes=20))
    before = [record(name, is_shared=True) for name in ("layer", "base", "of another image")]
    after = (record("layer"), record("base"), record("of another image", is_shared=True), record("never a layer"))
    looks = iter([CacheUse(tuple(before)), CacheUse(after), CacheUse(()), CacheUse(())])
    monkeypatch.setattr(room, "read_use", lambda _builder: next(looks))
    image = StoredImage("sha256:old", (), 10, "", {}, ())
    layers = frozenset(one.id for one in before)
    plan = RoomPlan(10, 0, cache_parts.builder(), (image,), kept=frozenset({"base"}), layers=layers)
    make_room(plan)
    assert [call for call in docker.calls if "prune" in call] == ["buildx prune --force --all --filter id=^(layer)$"]


def test_what_is_free_already_removes_nothing() -> None:
    plan = RoomPlan(10, 20, cache_parts.builder())
    assert plan.sentences() == []
    assert "free already" in make_room(plan)
    assert json.loads(json.dumps(plan.to_json()))["lacking_bytes"] == 0
