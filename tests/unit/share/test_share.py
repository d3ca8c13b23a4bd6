"""Pushed, there, passed over or failed; a registry that takes one image not is not offered the next."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from layerstack.errors import CheckFailed, UsageError
from layerstack.project.project import Project
from layerstack.project.settings import ProjectSettings
from layerstack.registry import known_digests, transfer
from layerstack.registry.look_up import Answer
from layerstack.registry.trouble import FAILS, SILENT, RegistryFailed, Trouble
from layerstack.share import share as sharing
from layerstack.share.candidates import Candidate
from layerstack.share.share import SharedImages

READ_ONLY = Trouble("is read-only", "name another one")


class Registry:
    """Three system images to share; those of `there` are in the registry."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project = Project(root, "p", "cpu", (), (), {}, {}, settings=ProjectSettings("h:1/team"))
        self.candidates = [Candidate(name, f"id-{name}", f"h:1/team/{name}:1") for name in "abc"]
        self.there: set[str] = set()
        self.appears: set[str] = set()
        self.trouble: Trouble | None = None
        self.refusal: Trouble | None = None
        self.pushed: list[str] = []
        monkeypatch.setattr(sharing, "find_candidates", lambda *_: self.candidates)
        monkeypatch.setattr(sharing.abandoned_images, "remove_abandoned", lambda: None)
        monkeypatch.setattr(sharing, "look_up", self._look_up)
        monkeypatch.setattr(sharing, "_labelled", lambda one: nullcontext(one.image_id))
        monkeypatch.setattr(transfer, "push", self._push)

    def _look_up(self, references: Any) -> dict[str, Answer]:
        return {one: Answer(one, "sha256:1" if one in self.there else "", self.trouble) for one in references}

    def _push(self, image_id: str, reference: str, say: Any) -> str:
        self.pushed.append(image_id)
        self.there |= self.appears
        if self.refusal:
            raise RegistryFailed(self.refusal)
        return "sha256:2"

    def share(self, *names: str, again: bool = False) -> SharedImages:
        return sharing.share(self.project, names, False, again, lambda _: None)

    def actions(self, *names: str, again: bool = False) -> list[str]:
        return [one.action for one in self.share(*names, again=again).shares]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    return Registry(tmp_path, monkeypatch)


def test_what_is_not_there_is_pushed(registry: Registry) -> None:
    registry.there = {"h:1/team/b:1"}
    assert registry.actions() == ["pushed", "there", "pushed"]
    assert registry.pushed == ["id-a", "id-c"]
    assert registry.share().to_json()["ok"]


def test_again_pushes_all(registry: Registry) -> None:
    registry.there = {one.reference for one in registry.candidates}
    assert registry.actions(again=True) == ["pushed"] * 3


def test_what_was_pushed_from_here_is_known(registry: Registry) -> None:
    registry.share("a")
    assert known_digests.is_known("h:1/team/a:1", "sha256:2", "id-a")
    assert not known_digests.is_known("h:1/team/a:1", "sha256:2", "id-b")


def test_another_system_image_under_the_same_name_is_told(registry: Registry) -> None:
    registry.there = {"h:1/team/a:1", "h:1/team/b:1"}
    known_digests.remember("h:1/team/a:1", "sha256:1", "id-a")
    reasons = [one.reason for one in registry.share().shares]
    assert reasons[0] == ""
    assert "share --again b" in reasons[1]


def test_what_cannot_be_shared_fails_only_when_it_was_named(registry: Registry) -> None:
    registry.candidates[0] = Candidate("a", "", "h:1/team/a:1", "is not here")
    done = registry.share()
    assert ([one.action for one in done.shares], done.is_ok) == (["skipped", "pushed", "pushed"], True)
    named = registry.share("a", "b", "c")
    assert (named.shares[0].action, named.is_ok) == ("failed", False)


def test_a_registry_that_refuses_one_is_not_offered_the_next(registry: Registry) -> None:
    registry.refusal = READ_ONLY
    done = registry.share()
    assert [one.action for one in done.shares] == ["failed"] * 3
    assert registry.pushed == ["id-a"]
    assert "the registry h:1 is read-only → name another one" in done.shares[0].reason
    assert not done.is_ok


def test_an_image_that_somebody_else_pushed_at_the_same_time_is_there(registry: Registry) -> None:
    registry.refusal, registry.appears = FAILS, {"h:1/team/a:1"}
    assert registry.actions() == ["there", "failed", "failed"]


def test_a_registry_that_cannot_be_asked_is_an_error(registry: Registry) -> None:
    registry.trouble = SILENT
    with pytest.raises(CheckFailed, match="h:1 does not answer"):
        registry.share()
    assert registry.pushed == []


def test_without_a_registry_there_is_nowhere_to_share(registry: Registry, tmp_path: Path) -> None:
    registry.project = Project(tmp_path, "p", "cpu", (tmp_path / "compose.yml",), (), {}, {})
    with pytest.raises(UsageError):
        registry.share()
