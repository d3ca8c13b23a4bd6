"""The device of a project for what only reads."""

from pathlib import Path

import pytest

from layerstack.project import choices
from layerstack.project.device_memory import FILE, remember_device, remembered_device
from layerstack.state_folder import state_folder


@pytest.fixture(autouse=True)
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEVICE", raising=False)


def test_the_environment_then_the_last_decision_then_setup_then_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert remembered_device(tmp_path) == "cpu"
    choices.remember(tmp_path, {"DEVICE": "gpu"})
    assert remembered_device(tmp_path) == "gpu"
    remember_device(tmp_path, "cpu")
    assert remembered_device(tmp_path) == "cpu"
    monkeypatch.setenv("DEVICE", "gpu")
    assert remembered_device(tmp_path) == "gpu"


def test_a_damaged_memory_is_none(tmp_path: Path) -> None:
    remember_device(tmp_path, "gpu")
    (state_folder(tmp_path) / FILE).write_text("gqu")
    assert remembered_device(tmp_path) == "cpu"
