"""System images from a team's registry: the first of several names that is there."""

from types import SimpleNamespace
from typing import Any

import pytest

from layerstack.engine import engine
from layerstack.registry import known_digests, system_images, transfer
from layerstack.registry.look_up import Answer
from layerstack.registry.system_images import fetch
from layerstack.registry.team import TeamRegistry
from layerstack.registry.trouble import BROKE_OFF, SILENT, RegistryFailed, Trouble

TEAM = TeamRegistry("h:1/team")


class Registry:
    """What is there, what was asked for, pulled, tagged and said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *there: str, trouble: Trouble | None = None) -> None:
        self.there, self.trouble = {TEAM.system_reference(name) for name in there}, trouble
        self.broken: set[str] = set()
        self.pulled: list[str] = []
        self.tagged: list[str] = []
        self.said: list[str] = []
        monkeypatch.setattr(system_images, "look_up", self._look_up)
        monkeypatch.setattr(transfer, "pull", self._pull)
        self.removed: list[str] = []
        image = SimpleNamespace(id="id", tag=self.tagged.append)
        client = SimpleNamespace(
            images=SimpleNamespace(get=lambda _: image), api=SimpleNamespace(remove_image=self.removed.append)
        )
        monkeypatch.setattr(engine, "client", lambda: client)

    def _look_up(self, references: Any) -> dict[str, Answer]:
        return {one: Answer(one, "sha256:1" if one in self.there else "", self.trouble) for one in references}

    def _pull(self, pinned: str) -> None:
        if self.broken:
            raise RegistryFailed(BROKE_OFF)
        self.pulled.append(pinned)

    def fetch(self, *groups: list[str]) -> frozenset[str]:
        return fetch(TEAM, groups, self.said.append)


def test_the_first_name_that_is_there_is_pulled_and_tagged(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(monkeypatch, "stand-in/node:18", "mongo:7", "stand-in/mongo:6")
    assert registry.fetch(["node:18", "stand-in/node:18"], ["mongo:7", "stand-in/mongo:6"], ["x:1"]) == {
        "stand-in/node:18",
        "mongo:7",
    }
    assert registry.tagged == ["stand-in/node:18", "mongo:7"]
    assert all("@sha256:" in pinned for pinned in registry.pulled)
    assert registry.removed == registry.pulled
    assert known_digests.is_known(TEAM.system_reference("mongo:7"), "sha256:1", "id")


def test_a_registry_in_trouble_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(monkeypatch, "node:18", trouble=SILENT)
    assert registry.fetch(["node:18"], ["mongo:7"]) == frozenset()
    (line,) = registry.said
    assert "does not answer" in line


def test_a_pull_that_breaks_off_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(monkeypatch, "node:18")
    registry.broken.add("node:18")
    assert registry.fetch(["node:18"]) == frozenset()
    assert "broke off" in registry.said[-1]


def test_nothing_is_asked_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(monkeypatch)
    assert registry.fetch() == frozenset()
    assert registry.fetch(["node@sha256:1"]) == frozenset()
    assert registry.said == []
