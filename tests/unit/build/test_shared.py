"""Bases of a team's registry: asked for once, used when their label is right, and never in the way of a build."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from image_folder import ImageFolder

from layerstack.build import shared
from layerstack.build.keep import Evidence, SharedFound
from layerstack.build.plan import Plan, PlannedImage
from layerstack.build.shared import SharedBases
from layerstack.dockerfile.image import Image
from layerstack.engine import engine
from layerstack.engine.cache_records import CacheRecord
from layerstack.engine.images import StoredImage
from layerstack.registry import transfer
from layerstack.registry.look_up import Answer
from layerstack.registry.origin import INPUTS_LABEL
from layerstack.registry.team import TeamRegistry
from layerstack.registry.trouble import BROKE_OFF, SILENT, RegistryFailed, Trouble
from layerstack.wait import wait_until

TEAM = TeamRegistry("h:1/team")
STEP = CacheRecord("1", "regular", "mount / from exec /bin/sh -c x", 1, False, False, "")


def planned(folder: Path, name: str, **fields: Any) -> PlannedImage:
    (folder / name).mkdir()
    made = ImageFolder(folder / name).dockerfile(f"FROM system\nLABEL name={name}\nRUN x\n")
    manifest = replace(made.manifest(), unknown=())
    return replace(PlannedImage(Image(name, name, tags=(f"{name}:1",)), manifest, None, None, is_base=True), **fields)


class Registry:
    """What is there, with its labels; everything that was asked, pulled, tagged, removed and said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *there: PlannedImage) -> None:
        self.labels = {self._reference(one): one.manifest.digest for one in there}
        self.trouble: Trouble | None = None
        self.asked: list[set[str]] = []
        self.pulled: list[str] = []
        self.tagged: list[str] = []
        self.removed: list[str] = []
        self.notes: list[str] = []
        self.breaks = False
        monkeypatch.setattr(shared, "look_up", self._look_up)
        monkeypatch.setattr(transfer, "pull", self._pull)
        api = SimpleNamespace(remove_image=self.removed.append)
        client = SimpleNamespace(api=api, images=SimpleNamespace(get=self._get))
        monkeypatch.setattr(engine, "client", lambda: client)
        self.bases = SharedBases(TEAM, self.notes.append)

    def _reference(self, one: PlannedImage) -> str:
        return TEAM.inputs_reference(one.name, one.manifest.digest)

    def _look_up(self, references: Any) -> dict[str, Answer]:
        wanted = set(references)
        self.asked.append(wanted)
        digests = {one: f"sha256:{one.rpartition('-')[2]}" if one in self.labels else "" for one in wanted}
        return {one: Answer(one, "" if self.trouble else digests[one], self.trouble) for one in wanted}

    def _pull(self, pinned: str) -> None:
        if self.breaks:
            raise RegistryFailed(BROKE_OFF)
        self.pulled.append(pinned)

    def _get(self, pinned: str) -> Any:
        reference = pinned.replace("@sha256:", ":inputs-")
        return SimpleNamespace(id="id", labels={INPUTS_LABEL: self.labels[reference]}, tag=self.tagged.append)

    def watch(self, evidence: Evidence, *running: str) -> None:
        """As a build does it: again and again, until an answer is there."""
        self.bases.watch(set(running), evidence)
        assert wait_until(lambda: self._is_answered(evidence, running), 5, 0.01)

    def _is_answered(self, evidence: Evidence, running: tuple[str, ...]) -> bool:
        self.bases.watch(set(running), evidence)
        return self.bases._asking is None


@pytest.fixture
def low(tmp_path: Path) -> PlannedImage:
    return planned(tmp_path, "low")


@pytest.fixture
def high(tmp_path: Path) -> PlannedImage:
    return planned(tmp_path, "high")


def evidence_of(*images: PlannedImage, records: tuple[CacheRecord, ...] = (), **forced: frozenset[str]) -> Evidence:
    return Evidence(Plan(images), records, **forced)


def test_what_is_nowhere_here_is_pulled_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch, low: PlannedImage, high: PlannedImage
) -> None:
    registry, evidence = Registry(monkeypatch, low, high), evidence_of(low, high)
    found = registry.bases.find_absent(evidence)
    assert found == {"low", "high"}
    assert len(registry.asked) == 1
    assert registry.bases.pull(found, evidence) == found
    assert sorted(registry.tagged) == ["high:1", "low:1"]
    assert sorted(registry.removed) == sorted(registry.pulled)
    assert len(registry.notes) == 1


def test_another_builder_gets_what_was_pulled_once_and_nothing_that_only_has_the_name(
    monkeypatch: pytest.MonkeyPatch, low: PlannedImage, high: PlannedImage
) -> None:
    registry, evidence = Registry(monkeypatch, low, high), evidence_of(low, high)
    registry.bases.pull(registry.bases.find_absent(evidence), evidence)
    pinned = dict(registry.bases.pinned)
    assert pinned.keys() == {"low", "high"}
    same, other = (StoredImage(name, (), 1, "", {}, ()) for name in ("id", "another id"))
    again = Registry(monkeypatch, low, high).bases
    assert again.find_known([replace(low, stored=same), replace(high, stored=other)]) == {"low"}
    assert again.pinned == {"low": pinned["low"]}


def test_buildkit_is_asked_first_for_what_it_may_have(monkeypatch: pytest.MonkeyPatch, low: PlannedImage) -> None:
    registry = Registry(monkeypatch, low)
    assert registry.bases.find_absent(evidence_of(low, records=(STEP,))) == frozenset()
    assert registry.asked == []


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, is_base=False),
        lambda one: replace(one, manifest=replace(one.manifest, unknown=("a secret",))),
        lambda one: replace(one, manifest=replace(one.manifest, volatile=("it says pull",))),
        lambda one: replace(one, stored=StoredImage("id", (), 1, "", {}, ())),
    ],
)
def test_only_absent_bases_whose_digest_says_all_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, low: PlannedImage, change: Any
) -> None:
    registry = Registry(monkeypatch, low)
    assert registry.bases.find_absent(evidence_of(change(low))) == frozenset()
    assert registry.asked == []


def test_what_is_to_be_built_in_any_case_is_not_asked_for(monkeypatch: pytest.MonkeyPatch, low: PlannedImage) -> None:
    registry = Registry(monkeypatch, low)
    assert registry.bases.find_absent(evidence_of(low, forced=frozenset({"low"}))) == frozenset()
    assert registry.asked == []


def test_a_build_that_runs_a_step_of_a_shared_base_is_ended(
    monkeypatch: pytest.MonkeyPatch, low: PlannedImage, high: PlannedImage
) -> None:
    registry, evidence = Registry(monkeypatch, low), evidence_of(low, high)
    with pytest.raises(SharedFound) as caught:
        registry.watch(evidence, "low")
    assert caught.value.images == {"low"}
    assert [len(asked) for asked in registry.asked] == [2]


def test_a_build_goes_on_when_the_registry_has_only_what_does_not_run(
    monkeypatch: pytest.MonkeyPatch, low: PlannedImage, high: PlannedImage
) -> None:
    registry, evidence = Registry(monkeypatch, high), evidence_of(low, high)
    registry.watch(evidence, "low")
    with pytest.raises(SharedFound):
        registry.watch(evidence, "high")
    assert len(registry.asked) == 1


def test_steps_of_services_ask_for_nothing(monkeypatch: pytest.MonkeyPatch, low: PlannedImage) -> None:
    registry = Registry(monkeypatch, low)
    registry.watch(evidence_of(replace(low, is_fresh=True)), "app")
    assert registry.asked == []


def test_a_wrong_label_is_not_used_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, low: PlannedImage) -> None:
    registry, evidence = Registry(monkeypatch, low), evidence_of(low)
    registry.labels = dict.fromkeys(registry.labels, "sha256:other")
    assert registry.bases.pull(registry.bases.find_absent(evidence), evidence) == frozenset()
    assert registry.tagged == []
    assert registry.removed == registry.pulled
    assert "sha256:other" in registry.notes[-1]
    assert "invoke share --again low" in registry.notes[-1]


def test_a_pull_that_breaks_off_is_told_and_not_tried_again(monkeypatch: pytest.MonkeyPatch, low: PlannedImage) -> None:
    registry, evidence = Registry(monkeypatch, low), evidence_of(low)
    registry.breaks = True
    assert registry.bases.pull(registry.bases.find_absent(evidence), evidence) == frozenset()
    assert "broke off" in registry.notes[-1]
    registry.watch(evidence, "low")
    assert len(registry.asked) == 1


def test_a_silent_registry_is_told_once_for_all(
    monkeypatch: pytest.MonkeyPatch, low: PlannedImage, high: PlannedImage
) -> None:
    registry, evidence = Registry(monkeypatch, low, high), evidence_of(low, high)
    registry.trouble = SILENT
    assert registry.bases.find_absent(evidence) == frozenset()
    assert len(registry.notes) == 1
