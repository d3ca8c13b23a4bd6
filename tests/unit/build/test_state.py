"""Records of builds: written whole, read back, set aside when they are damaged."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from image_folder import ImageFolder

from layerstack.build.state import ImageState, StateStore
from layerstack.dockerfile.file_digests import FileDigests
from layerstack.state_folder import state_folder


@pytest.fixture
def state(tmp_path: Path) -> ImageState:
    folder = ImageFolder(tmp_path).dockerfile("FROM system AS a\nARG X=1\nCOPY . /x\nFROM a\nRUN true\n")
    steps = ({"step": "1/2 COPY", "cached": False, "seconds": 1.0, "cause": None, "place": "x:1", "started": 2.0},)
    return ImageState("app/image:1", folder.manifest(), "sha256:1", steps, 1.5, 9.0, "why", True, {"base": "abc"})


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, warnings: list[str]) -> StateStore:
    return StateStore(tmp_path, warnings.append)


def record(store: StateStore) -> Path:
    [path] = (state_folder(store.root) / "images").glob("*.json")
    return path


def test_a_record_is_read_back_as_it_was(store: StateStore, state: ImageState) -> None:
    assert store.read(state.tag) is None
    store.write(state)
    assert store.read(state.tag) == state


def test_tags_do_not_share_a_record(store: StateStore, state: ImageState) -> None:
    store.write(state)
    store.write(replace(state, tag="app:2", image_id="sha256:2"))
    first, second = store.read(state.tag), store.read("app:2")
    assert first
    assert second
    assert (first.image_id, second.image_id) == ("sha256:1", "sha256:2")


@pytest.mark.parametrize("text", ["", "{", "[1]", '"text"', "\x00\xff", '{"version": "%s"}'])
def test_a_damaged_record_is_set_aside_with_a_warning(
    store: StateStore, state: ImageState, warnings: list[str], text: str
) -> None:
    store.write(state)
    version = json.loads(record(store).read_text())["version"]
    damaged = text.replace("%s", version)
    path = record(store)
    path.write_text(damaged)
    assert store.read(state.tag) is None
    assert len(warnings) == 1
    [kept] = path.parent.glob("*.damaged-*")
    assert kept.read_text() == damaged
    store.write(state)
    assert store.read(state.tag) == state


def test_a_record_of_another_version_is_passed_over(store: StateStore, state: ImageState, warnings: list[str]) -> None:
    store.write(state)
    document = json.loads(record(store).read_text())
    record(store).write_text(json.dumps({**document, "version": "0.0"}))
    assert store.read(state.tag) is None
    assert warnings == []


def test_damaged_digests_are_read_anew(store: StateStore, warnings: list[str]) -> None:
    digests = FileDigests()
    digests._used["x"] = [[1], "y"]
    store.write_digests(digests)
    assert store.read_digests().kept() == {"x": [[1], "y"]}
    (state_folder(store.root) / "files.json").write_text("{")
    assert store.read_digests().kept() == {}
    assert len(warnings) == 1


def test_a_reader_never_sees_half_a_record(store: StateStore, state: ImageState, warnings: list[str]) -> None:
    store.write(state)

    def write(number: int) -> None:
        store.write(replace(state, seconds=float(number)))

    def read(_: int) -> ImageState | None:
        return store.read(state.tag)

    with ThreadPoolExecutor(8) as pool:
        written = [pool.submit(write, number) for number in range(50)]
        seen = list(pool.map(read, range(200)))
        for one in written:
            one.result()
    assert None not in seen
    assert warnings == []
