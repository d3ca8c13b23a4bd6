"""Records of builds: written whole, read back, set aside when they are damaged."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from image_folder import ImageFolder

from layerstack.build.record import Cause, ImageRecord, StepRecord
from layerstack.build.state import ImageState, StateStore
from layerstack.dockerfile.file_digests import FileDigests
from layerstack.state_folder import shared_folder, state_folder


@pytest.fixture
def state(tmp_path: Path) -> ImageState:
    folder = ImageFolder(tmp_path).dockerfile("FROM system AS a\nARG X=1\nCOPY . /x\nFROM a\nRUN true\n")
    cause = Cause("file-content", "a changed")
    step = StepRecord(step="1/2 COPY", is_cached=False, seconds=1.0, cause=cause, place="x:1", started=2.0)
    return ImageState(
        tag="app/image:1",
        image_id="sha256:1",
        manifest=folder.manifest(),
        record=ImageRecord(image="app", action="built", cause="why", seconds=1.5, steps=(step,)),
        built_at=9.0,
        parent_layers={"base": "abc"},
        cache_records={"x:1": ("one", "two")},
        is_cache_gone=True,
    )


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path)


def record(store: StateStore) -> Path:
    [path] = (shared_folder() / "images").glob("*.json")
    return path


def test_a_record_is_read_back_as_it_was(store: StateStore, state: ImageState) -> None:
    assert store.of_image(state.image_id) is None
    store.write(state)
    assert store.of_image(state.image_id) == state


def test_a_project_remembers_the_last_image_of_its_tags(store: StateStore, state: ImageState) -> None:
    assert store.last_of(state.tag) is None
    store.write(state)
    newer = msgspec.structs.replace(state, image_id="sha256:2")
    store.write(newer)
    assert store.last_of(state.tag) == newer
    assert store.of_image(state.image_id) == state


def test_tags_do_not_share_a_record(store: StateStore, state: ImageState) -> None:
    store.write(state)
    store.write(msgspec.structs.replace(state, tag="app:2", image_id="sha256:2"))
    first, second = store.of_image(state.image_id), store.of_image("sha256:2")
    assert first
    assert second
    assert (first.image_id, second.image_id) == ("sha256:1", "sha256:2")


@pytest.mark.parametrize("text", ["", "{", "[1]", '"text"', "\x00\xff", '{"version": "%s"}'])
def test_a_damaged_record_is_set_aside_with_a_warning(store: StateStore, state: ImageState, text: str) -> None:
    store.write(state)
    version = json.loads(record(store).read_text())["version"]
    damaged = text.replace("%s", version)
    path = record(store)
    path.write_text(damaged)
    assert store.of_image(state.image_id) is None
    [kept] = path.parent.glob("*.damaged")
    assert kept.read_text() == damaged
    store.write(state)
    assert store.of_image(state.image_id) == state


def test_a_record_of_another_version_is_passed_over(store: StateStore, state: ImageState) -> None:
    store.write(state)
    document = json.loads(record(store).read_text())
    record(store).write_text(json.dumps({**document, "version": "0.0"}))
    assert store.of_image(state.image_id) is None


def test_damaged_digests_are_read_anew(store: StateStore) -> None:
    digests = FileDigests()
    digests._used["x"] = [[1], "y"]
    store.write_digests(digests)
    assert store.read_digests().kept() == {"x": [[1], "y"]}
    (state_folder(store.root) / "files.json").write_text("{")
    assert store.read_digests().kept() == {}


def test_a_reader_never_sees_half_a_record(store: StateStore, state: ImageState) -> None:
    store.write(state)

    def write(number: int) -> None:
        store.write(msgspec.structs.replace(state, built_at=float(number + 1)))

    def read(_: int) -> ImageState | None:
        return store.of_image(state.image_id)

    with ThreadPoolExecutor(8) as pool:
        written = [pool.submit(write, number) for number in range(50)]
        seen = list(pool.map(read, range(200)))
        for one in written:
            one.result()
    assert None not in seen
