"""The variables that a stack was started with by `dev`, for who asks later."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from layerstack.engine.container import Container
from layerstack.run import dev_settings
from layerstack.run.dev_settings import HASH_LABEL, recall, remember, variables_of_dev

VALUES = {"POSE_ARGS": "--reload"}
NOW = {"pose": "plain", "web": "same"}


def containers(*hashes: str) -> dict[str, Sequence[Container]]:
    return {one: (Container(one, one, one, "running", "", labels={HASH_LABEL: one}),) for one in hashes}


def kept(root: Path, monkeypatch: pytest.MonkeyPatch, *hashes: str) -> None:
    monkeypatch.setattr(dev_settings, "read_all", lambda *_: containers(*hashes))
    project: Any = SimpleNamespace(root=root, name="x")
    remember(None, project, VALUES)


def test_they_hold_while_a_container_of_them_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(tmp_path, monkeypatch, "reloading", "same")
    assert recall(tmp_path, containers("reloading", "same"), lambda: NOW) == VALUES
    assert recall(tmp_path, containers("plain", "same"), lambda: NOW) == {}
    assert recall(tmp_path, {}, lambda: NOW) == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"variables": 1, "hashes": []}'])
def test_a_record_that_is_not_one_says_nothing(tmp_path: Path, text: str) -> None:
    dev_settings.write_atomically(dev_settings.state_folder(tmp_path) / dev_settings.FILE, text)
    assert recall(tmp_path, containers("reloading"), lambda: NOW) == {}


def test_the_environment_is_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "1")
    with variables_of_dev({"ONE": "2", "OTHER": "3"}):
        assert (os.environ["ONE"], os.environ["OTHER"]) == ("2", "3")
    assert os.environ["ONE"] == "1"
    assert "OTHER" not in os.environ
