"""Clips through PHALP: pictures in, its peculiar answer out. The tracker is scripted: PHALP itself needs a GPU."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from PIL import Image

from pose_service.contract.engine import EngineFailedError
from pose_service.contract.job import WORKING
from pose_service.engines.hmr2 import follow as following
from pose_service.engines.hmr2.engine import GpuLost, GpuMemoryError, Hmr2Engine, NoTrackerError
from pose_service.engines.hmr2.follow import follow
from pose_service.engines.hmr2.phalp import Stopped, TrackingError
from pose_service.engines.hmr2.tracked_people import read_people
from pose_service.finding.people_finder import FindOptions
from pose_service.following.video import FramePeople
from pose_service.media.video_decoding import VideoFrame
from pose_service.weights.check import MissingWeightsError

OPTIONS = FindOptions()


def frames(count: int) -> Iterator[VideoFrame]:
    """Frames of 640 x 360 that were reduced from 1280 x 720, each in a grey of its own, 10 a second."""
    for index in range(count):
        pixels = np.full((360, 640, 3), index, np.uint8)
        yield VideoFrame(pixels, index, index / 10, 1280, 720, count, count / 10, 0)


def entry(**changes: Any) -> dict[str, Any]:
    """What PHALP says of one picture of 640 x 360 with two tracks, the second of them only imagined."""
    joints = np.zeros((45, 2)) + 0.5
    body = {"global_orient": np.eye(3)[None], "body_pose": np.tile(np.eye(3), (23, 1, 1)), "betas": np.zeros(10)}
    one = {
        "tid": 3,
        "tracked_time": 0,
        "bbox": np.array([100.0, 50.0, 80.0, 200.0]),
        "conf": 0.9,
        "2d_joints": joints.reshape(90),
        "3d_joints": np.tile([0.1, 0.2, 0.3], (45, 1)),
        "smpl": body,
        "camera": np.array([0.0, 0.1, 20.0]),
    }
    ghost = {**one, "tid": 4, "tracked_time": 2}
    return {key: [{**one, **changes}[key], ghost[key]] for key in one}


class ScriptedTracker:
    """Reads every picture, and gives the same entry for each."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.seen: list[tuple[str, tuple[int, int], int]] = []
        self.folders: list[Path] = []
        self.was_stopped = False

    def track(self, folder: Path, output: Path, on_frame: Callable[[], None]) -> dict[str, Any]:
        self.folders += [folder, output]
        try:
            for path in sorted(folder.glob("*.jpg")):
                on_frame()
                image = Image.open(path)
                self.seen.append((path.name, image.size, int(np.asarray(image).mean().round())))
                time.sleep(0.005)
        except Stopped:
            self.was_stopped = True
            raise
        if self.error:
            raise self.error
        return {str(path): entry() for path in folder.glob("*.jpg")}


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made; empty again after every test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_every_picture_is_seen_and_answered_in_order(temporary: Path) -> None:
    tracker = ScriptedTracker()
    results = list(follow(lambda: tracker, frames(12), OPTIONS))
    people = [one for one in results if one is not WORKING]
    assert tracker.seen == [(f"{index:06d}.jpg", (640, 360), index) for index in range(12)]
    assert results.index(people[0]) >= 24, "a sign of life for every picture, twice"
    assert [(one.index, one.time_seconds, one.width, one.height) for one in people] == [
        (index, index / 10, 1280, 720) for index in range(12)
    ]
    assert {tuple(person.id for person in one.people) for one in people} == {(3,)}
    assert list(temporary.iterdir()) == []


def test_points_are_those_of_the_full_frame(temporary: Path) -> None:
    (frame,) = (one for one in follow(ScriptedTracker, frames(1), OPTIONS) if isinstance(one, FramePeople))
    (tracked,) = frame.people
    # The middle of PHALP's square is the middle of the picture, and the picture is half of the frame.
    assert tracked.person.keypoints[0].tolist() == [640.0, 360.0]
    assert tracked.person.box.tolist() == [200.0, 100.0, 360.0, 500.0]


def test_an_entry_has_the_shapes_that_the_service_promises() -> None:
    (tracked,) = read_people(entry(), (640, 360), OPTIONS)
    person = tracked.person
    assert (person.keypoints.shape, person.world.shape) == ((44, 2), (44, 3))
    assert person.world[9].tolist() == [0, 0, 0]
    assert person.body is not None
    assert person.body.global_orient.shape == (3, 3)
    assert person.body.focal_pixels == pytest.approx(5000 / 256 * 640)
    assert person.body.vertices is None


def test_points_of_an_upright_picture_lose_the_padding_beside_it() -> None:
    joints = np.zeros((45, 2))
    (tracked,) = read_people(entry(**{"2d_joints": joints.reshape(90)}), (360, 640), OPTIONS)
    assert tracked.person.keypoints[0].tolist() == [-140.0, 0.0]


@pytest.mark.parametrize(
    ("changes", "options", "count"),
    [
        ({"tracked_time": 1}, OPTIONS, 0),
        ({"conf": 0.4}, OPTIONS, 0),
        ({"conf": 0.4}, FindOptions(min_score=0.3), 1),
        ({}, FindOptions(max_people=1), 1),
    ],
)
def test_ghosts_and_doubtful_ones_are_nobody(changes: dict[str, Any], options: FindOptions, count: int) -> None:
    assert len(read_people(entry(**changes), (640, 360), options)) == count


def test_a_picture_that_it_never_names_is_empty() -> None:
    assert read_people({}, (640, 360), OPTIONS) == ()


def test_a_client_that_goes_away_ends_the_work(temporary: Path) -> None:
    tracker = ScriptedTracker()
    work = follow(lambda: tracker, frames(100), OPTIONS)
    for _ in range(110):
        next(work)
    work.close()
    assert tracker.was_stopped
    assert len(tracker.seen) < 100
    assert list(temporary.iterdir()) == []


def test_loading_is_no_silence(monkeypatch: pytest.MonkeyPatch, temporary: Path) -> None:
    monkeypatch.setattr(following, "SIGN_SECONDS", 0.01)
    ready = threading.Event()

    def load() -> ScriptedTracker:
        ready.wait(5)
        return ScriptedTracker()

    work = follow(load, frames(1), OPTIONS)
    assert [next(work) for _ in range(5)] == [WORKING] * 5
    ready.set()
    assert isinstance(list(work)[-1], FramePeople)


class OneModel:
    """Models that only have a tracker."""

    def __init__(self, tracker: Callable[[], Any]) -> None:
        self.tracker = tracker
        self.freed = 0

    def free_memory(self) -> None:
        self.freed += 1


def engine_with(tracker: Callable[[], Any]) -> Hmr2Engine:
    engine = Hmr2Engine(lambda: OneModel(tracker))  # type: ignore[arg-type, return-value]
    engine.load()
    return engine


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("RuntimeError: shapes do not fit", EngineFailedError),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", GpuMemoryError),
        ("RuntimeError: CUDA error: unspecified launch failure", GpuLost),
    ],
)
def test_what_phalp_swallows_becomes_an_error(said: str, error: type[BaseException], temporary: Path) -> None:
    engine = engine_with(lambda: ScriptedTracker(TrackingError(said)))
    with pytest.raises(error):
        list(engine.follow(frames(2), OPTIONS))
    assert list(temporary.iterdir()) == []


def test_missing_files_of_the_tracker_leave_photos_alone(temporary: Path) -> None:
    def load() -> Any:
        raise MissingWeightsError("video", ())

    with pytest.raises(NoTrackerError) as caught:
        list(engine_with(load).follow(frames(1), OPTIONS))
    assert (caught.value.status, caught.value.kind) == (503, "no-tracker")
