"""Every stack of an engine is listed with what it holds; a folder that is gone is marked with the way to end it."""

from pathlib import Path
from typing import Any

import pytest

from layerstack.engine import engine
from layerstack.engine.container import FOLDER_LABEL, PROJECT_LABEL, Container
from layerstack.engine.place import EnginePlace
from layerstack.errors import UsageError
from layerstack.project.project import Port
from layerstack.stacks import stacks
from layerstack.stacks.stacks import Stack, read_stacks, require_stack

OLD, NEW = "2026-11-28T01:00:00Z", "2026-11-28T02:00:00Z"


def labels(name: str, folder: str = "", **more: str) -> dict[str, str]:
    return {PROJECT_LABEL: name, **({FOLDER_LABEL: folder} if folder else {}), **more}


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Stack]:
    gone = str(tmp_path / "gone")
    use = {
        "container": [
            {"Image": "x", "Labels": labels("shop", str(tmp_path)), "SizeRw": 10},
            {"Image": "x", "Labels": labels("shop", str(tmp_path)), "SizeRw": 20},
            {"Image": "x", "Labels": labels("dead", gone)},
            {"Image": "x", "Labels": {"other": "label"}, "SizeRw": 1000},
            {"Image": "x", "Labels": labels("once", str(tmp_path), **{"com.docker.compose.oneoff": "True"})},
        ],
        "volume": [
            {"Name": "a", "Labels": labels("shop"), "UsageData": {"Size": 300}},
            {"Name": "b", "Labels": labels("left"), "UsageData": {"Size": -1}},
            {"Name": "c", "Labels": None, "UsageData": {"Size": 9}},
        ],
        "image": [
            {"Id": "i", "Labels": labels("shop"), "Size": 5000, "SharedSize": 1000},
            {"Id": "j", "Labels": labels("nobody"), "Size": 5000, "SharedSize": 1000},
        ],
    }
    running = Container("1", "c", "web", "running", "", started_at=NEW, ports=(Port("", 80, 80),), has_gpu=True)
    older = Container("2", "d", "db", "running", "", started_at=OLD, ports=(Port("", 5, 5), Port("", 80, 80)))
    ended = Container("3", "e", "job", "exited", "", ports=(Port("", 7, 7),))
    found = {"shop": {"web": (running,), "db": (older,), "job": (ended,)}, "dead": {"job": (ended,)}}
    monkeypatch.setattr(stacks, "read_disk_use", lambda *kinds: {kind: use[kind] for kind in kinds})
    monkeypatch.setattr(engine, "client", lambda: None)
    monkeypatch.setattr(stacks, "read_all", lambda _client, name: found[name])
    monkeypatch.setattr(stacks, "find_place", EnginePlace)
    return {stack.name: stack for stack in read_stacks()}


def test_every_project_with_containers_or_data_is_there(listed: dict[str, Stack]) -> None:
    assert list(listed) == ["dead", "left", "shop"]
    shop = listed["shop"]
    assert shop.to_json() == {
        "project": "shop",
        "folder": shop.folder,
        "folder_exists": True,
        "branch": None,
        "running": 2,
        "containers": 3,
        "ports": [5, 80],
        "since": OLD,
        "disk_bytes": 10 + 20 + 300 + 4000,
        "gpu_services": ["web"],
        "gpu_leases": [],
    }


def test_a_stack_whose_folder_is_gone_is_dead(listed: dict[str, Stack]) -> None:
    assert [name for name, stack in listed.items() if stack.is_dead] == ["dead"]


def test_a_stack_of_a_folder_where_this_user_may_not_look_is_not_dead() -> None:
    client: Any = None
    listed = stacks._Found(folder=f"/{'x' * 300}")
    found = stacks._stack(client, "shop", listed, ())
    assert (found.is_there, found.is_dead) == (None, False)


def test_on_a_remote_engine_nobody_knows_of_a_missing_folder(
    listed: dict[str, Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacks, "find_place", lambda: EnginePlace("10.0.0.5"))
    assert {stack.name: stack.is_there for stack in read_stacks()} == {"dead": None, "left": None, "shop": True}


def test_a_stack_that_is_not_there_is_named_with_the_nearest_one(listed: dict[str, Stack]) -> None:
    for name in ("shop", "left"):
        require_stack(name)
    with pytest.raises(UsageError) as error:
        require_stack("shob")
    assert error.value.advice == "Did you mean shop?"
    with pytest.raises(UsageError):
        require_stack("nobody")
