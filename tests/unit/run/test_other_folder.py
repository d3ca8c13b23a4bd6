"""A project that runs from another folder is refused, and one whose folder is gone is taken over."""

from pathlib import Path
from typing import Any

import pytest

from layerstack.engine.container import FOLDER_LABEL, Container
from layerstack.engine.place import EnginePlace
from layerstack.errors import StartFailed
from layerstack.project.project import Project
from layerstack.run import other_folder
from layerstack.run.other_folder import require_own_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


def require(root: Path, monkeypatch: pytest.MonkeyPatch, *folders: str, host: str = "") -> list[str]:
    """What is said when containers were started from these folders."""
    found = {
        f"s{number}": (Container("1", "c", "s", "running", "", labels={FOLDER_LABEL: folder} if folder else {}),)
        for number, folder in enumerate(folders)
    }
    monkeypatch.setattr(other_folder, "read_all", lambda _client, _name: found)
    monkeypatch.setattr(other_folder, "find_place", lambda: EnginePlace(host))
    said: list[str] = []
    client: Any = None
    require_own_folder(client, Project(root, "shop", "cpu", (), (), {}, {}), said.append)
    return said


def test_the_own_folder_also_by_a_link_is_fine(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert require(root, monkeypatch, str(root), str(link), "") == []


def test_another_folder_is_refused_with_both_ways_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = root.parent / "other"
    other.mkdir()
    with pytest.raises(StartFailed) as caught:
        require(root, monkeypatch, str(root), str(other))
    assert caught.value.exit_code == 5
    assert str(other) in str(caught.value)
    assert "COMPOSE_PROJECT_NAME=" in caught.value.advice
    assert "down --stack shop" in caught.value.advice


def test_a_folder_that_is_gone_is_taken_over_aloud(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (said,) = require(root, monkeypatch, str(root.parent / "gone"))
    assert str(root.parent / "gone") in said


def test_on_a_remote_engine_a_missing_folder_may_be_another_machines(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StartFailed):
        require(root, monkeypatch, "/home/somebody/shop", host="10.0.0.5")


def test_a_folder_where_this_user_may_not_look_is_not_gone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The system refuses such a name, as it does a folder of another user.
    closed = root / ("x" * 300)
    with pytest.raises(StartFailed):
        require(root, monkeypatch, str(closed))
