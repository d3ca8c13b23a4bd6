"""An image is kept only with evidence: read as unchanged, fully understood, recorded, and its cache records gone."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from image_folder import ImageFolder

from layerstack.build import keep
from layerstack.build.buildlog import BuildLog
from layerstack.build.keep import SETTLE_SECONDS, CacheGone, Evidence, Keeper
from layerstack.build.plan import Plan, PlannedImage
from layerstack.build.record import ImageRecord
from layerstack.build.state import ImageState
from layerstack.dockerfile.image import Image
from layerstack.engine.cache_records import CacheRecord, CacheUse
from layerstack.engine.images import StoredImage

PLACES = {"base": "base/Dockerfile:2", "app": "app/Dockerfile:2"}


def planned(folder: Path, name: str, *parents: str) -> PlannedImage:
    """An image that is there, recorded and unchanged; one cache record held its only step."""
    made = ImageFolder(folder / name).dockerfile("FROM system\nRUN x\n")
    image = Image(name, name, tags=(f"{name}:latest",), contexts={one: f"target:{one}" for one in parents})
    manifest = replace(made.manifest(), unknown=())
    state = ImageState(
        tag=image.tag,
        image_id=f"sha256:{name}",
        manifest=manifest,
        record=ImageRecord(image=name, action="built"),
        cache_records={PLACES[name]: (f"record-{name}",)},
    )
    stored = StoredImage(f"sha256:{name}", (image.tag,), 1, "", {}, ())
    return PlannedImage(image, manifest, stored, state, is_fresh=True)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    for name in PLACES:
        (tmp_path / name).mkdir()
    return Plan((planned(tmp_path, "base"), planned(tmp_path, "app", "base")))


def changed(plan: Plan, name: str, **fields: Any) -> Plan:
    return Plan(tuple(replace(one, **fields) if one.name == name else one for one in plan.images))


class Stream:
    """A build of `base` and `app` on a clock of its own, with the cache records that there are."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, plan: Plan, *records: str, **options: Any) -> None:
        self.now = 100.0
        self.plans = 0
        monkeypatch.setattr(keep, "monotonic", lambda: self.now)
        held = tuple(CacheRecord(one, "regular", "", 1, False, False, "") for one in records)
        monkeypatch.setattr(keep, "read_cache", lambda: CacheUse(held))
        self.log = BuildLog(["base", "app"], lambda step: replace(step, place=PLACES.get(step.image, "")))
        self.keeper = Keeper(lambda: self._read(plan), **options)

    def _read(self, plan: Plan) -> Plan:
        self.plans += 1
        return plan

    def tell(self, name: str, started: int | None = None, completed: int | None = None, **more: Any) -> None:
        moments = {"started": started, "completed": completed}
        times = {key: f"2026-11-20T10:00:{value:02d}Z" for key, value in moments.items() if value is not None}
        line = json.dumps({"vertexes": [{"digest": name, "name": name, **times, **more}]})
        self.keeper.watch(self.log, self.log.feed(line))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        if self.plans:
            _ = self.keeper.evidence
        self.keeper.watch(self.log, ())

    def run(self, name: str = "[base 2/2] RUN x") -> frozenset[str]:
        """What is kept when this step runs on."""
        self.tell(name, 1)
        _ = self.keeper.evidence
        try:
            self.wait(SETTLE_SECONDS + 0.1)
        except CacheGone as gone:
            return gone.images
        return frozenset()


def test_a_step_whose_records_are_gone_ends_the_build(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    assert Stream(monkeypatch, plan).run() == {"base", "app"}


def test_a_step_whose_record_is_there_runs_for_a_reason_that_we_misread(
    monkeypatch: pytest.MonkeyPatch, plan: Plan
) -> None:
    assert Stream(monkeypatch, plan, "record-base").run() == frozenset()


def test_what_is_built_on_a_lost_image_is_lost_with_it(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    """Its own records are there, but BuildKit finds them by way of the steps below only."""
    assert Stream(monkeypatch, plan, "record-app").run() == {"base", "app"}


def test_what_was_built_on_the_image_itself_is_not_lost_with_its_steps(
    monkeypatch: pytest.MonkeyPatch, plan: Plan
) -> None:
    last = plan.of("app").last
    assert last
    on_image = changed(plan, "app", last=msgspec.structs.replace(last, on_images=("base",)))
    assert Stream(monkeypatch, on_image, "record-app").run() == {"base"}
    assert Stream(monkeypatch, on_image).run() == {"base", "app"}


def test_a_step_of_which_no_record_was_ever_seen_is_no_evidence(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    last = plan.of("base").last
    assert last
    unseen = changed(plan, "base", last=msgspec.structs.replace(last, cache_records={}))
    assert Stream(monkeypatch, unseen).run() == frozenset()


@pytest.mark.parametrize("case", ["changed", "unknown", "other image", "forced", "asked anew"])
def test_nothing_else_is_kept(monkeypatch: pytest.MonkeyPatch, plan: Plan, case: str) -> None:
    base, options = plan.of("base"), {}
    if case == "changed":
        plan = changed(plan, "base", is_fresh=False)
    elif case == "unknown":
        plan = changed(plan, "base", manifest=replace(base.manifest, unknown=("# syntax=",)))
    elif case == "other image":
        plan = changed(plan, "base", stored=StoredImage("sha256:other", (), 1, "", {}, ()))
    else:
        options = {"forced": frozenset({"base"})} if case == "forced" else {"never_keeps": True}
    assert Stream(monkeypatch, plan, **options).run() == frozenset()


def test_a_step_that_is_reported_as_cached_a_moment_after_its_start_is_cached(
    monkeypatch: pytest.MonkeyPatch, plan: Plan
) -> None:
    stream = Stream(monkeypatch, plan)
    stream.tell("[base 2/2] RUN x", 1)
    stream.wait(SETTLE_SECONDS * 0.9)
    stream.tell("[base 2/2] RUN x", 2, 3, cached=True)
    stream.wait(SETTLE_SECONDS * 2)
    stream.keeper.finish(stream.log.report(ok=True, seconds=1.0))


def test_a_step_that_was_over_at_once_is_noticed_at_the_end(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    stream = Stream(monkeypatch, plan)
    stream.tell("[base 2/2] RUN x", 1, 2)
    with pytest.raises(CacheGone):
        stream.keeper.finish(stream.log.report(ok=True, seconds=1.0))


@pytest.mark.parametrize("name", ["[base 1/2] FROM y", "[base internal] load build context"])
def test_no_record_is_asked_for_while_no_step_runs(monkeypatch: pytest.MonkeyPatch, plan: Plan, name: str) -> None:
    stream = Stream(monkeypatch, plan)
    stream.tell(name, 1, 2)
    stream.tell("[base 2/2] RUN x", 1, 2, cached=True)
    stream.keeper.finish(stream.log.report(ok=True, seconds=1.0))
    assert stream.plans == 0


def test_all_records_of_an_image_or_those_of_one_step(plan: Plan) -> None:
    held = CacheRecord("record-base", "regular", "", 1, False, False, "")
    evidence = Evidence(plan, (held,))
    assert (evidence.is_gone(plan.of("base")), evidence.is_gone(plan.of("app"))) == (False, True)
    assert evidence.is_gone(plan.of("app"), PLACES["app"])
    assert not evidence.is_gone(plan.of("app"), "app/Dockerfile:9")


def test_the_next_call_begins_without_the_suspects_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch, plan: Plan
) -> None:
    stream = Stream(monkeypatch, plan)
    assert stream.run() == {"base", "app"}
    stream.log = BuildLog(["app"])
    stream.wait(SETTLE_SECONDS * 2)
    stream.keeper.finish(stream.log.report(ok=True, seconds=1.0))
