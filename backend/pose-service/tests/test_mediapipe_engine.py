"""The engine under threads and after failures."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pose_service.contract.engine import EngineFailedError, EngineUnavailableError, Pixels
from pose_service.contract.region import Region
from pose_service.engines.mediapipe_engine import MediapipeEngine


@pytest.fixture
def engine() -> MediapipeEngine:
    engine = MediapipeEngine()
    engine.load()
    return engine


@pytest.fixture
def photo(astronaut: Path) -> Pixels:
    return np.asarray(Image.open(astronaut))


def test_it_recovers_after_a_failure(engine: MediapipeEngine, photo: Pixels) -> None:
    empty = np.zeros((0, 0, 3), np.uint8)
    for _ in range(3):
        with pytest.raises(EngineFailedError, match="mediapipe failed"):
            engine.estimate(empty)
    assert len(engine.estimate(photo)) == 1


@pytest.mark.parametrize("size", [(30_000, 600), (600, 30_000), (1_000_000, 1)])
def test_a_very_slim_image_takes_little_memory(engine: MediapipeEngine, size: tuple[int, int]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert engine.estimate(np.zeros((size[1], size[0], 3), np.uint8)) == []
    grown_mebibytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mebibytes < 400


def test_a_large_photo_gives_pixels_of_its_own_size(engine: MediapipeEngine, photo: Pixels) -> None:
    large = np.asarray(Image.fromarray(photo).resize((4096, 4096)))
    (person,) = engine.estimate(large)
    assert person.keypoints[0] == pytest.approx((223 * 8, 128 * 8), abs=0.03 * 4096)


def test_close_leaves_it_usable(engine: MediapipeEngine, photo: Pixels) -> None:
    engine.close()
    assert len(engine.estimate(photo)) == 1


@pytest.mark.parametrize("turn", [0, 25, -40])
def test_it_agrees_with_mediapipes_own_solution(engine: MediapipeEngine, astronaut: Path, turn: int) -> None:
    from mediapipe.python.solutions.pose import Pose

    scene = Image.new("RGB", (900, 512), "grey")
    scene.paste(Image.open(astronaut).rotate(turn), (120, 0))
    rgb = np.asarray(scene)
    (person,) = engine.estimate(rgb)
    with Pose(static_image_mode=True, model_complexity=2) as pose:
        result = pose.process(rgb)
    expected = [(mark.x * 900, mark.y * 512) for mark in result.pose_landmarks.landmark]
    np.testing.assert_allclose(person.keypoints, expected, atol=0.5)
    world = [(mark.x, mark.y, mark.z) for mark in result.pose_world_landmarks.landmark]
    np.testing.assert_allclose(person.world, world, atol=0.002)


def test_both_of_two_people_are_sighted_in_one_pass(engine: MediapipeEngine, photo: Pixels) -> None:
    gap = np.full((512, 200, 3), 128, np.uint8)
    sightings = sorted(engine.sight(np.hstack([photo, gap, photo])), key=lambda each: -each.score)
    assert len(sightings) == 6
    lefts = sorted(each.keypoints[0, 0] for each in sightings[:2])
    assert lefts[1] - lefts[0] == pytest.approx(712, abs=20)
    assert sightings[1].score > 2 * sightings[2].score


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (500, 400), (50, 4000), (1, 1)])
def test_sightings_are_in_pixels_of_the_image(engine: MediapipeEngine, photo: Pixels, size: tuple[int, int]) -> None:
    """The nose is where it is, whatever canvas the image is put on."""
    scene = Image.new("RGB", size, "grey")
    side = min(size)
    scene.paste(Image.fromarray(photo).resize((side, side)), (size[0] - side, size[1] - side))
    best = max(engine.sight(np.asarray(scene)), key=lambda each: each.score)
    if side >= 300:
        expected = (size[0] - side + 223 * side / 512, size[1] - side + 128 * side / 512)
        assert best.keypoints[0] == pytest.approx(expected, abs=0.05 * side)


def test_a_missing_model_file_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("POSE_CPU_MODELS", str(tmp_path))
    with pytest.raises(EngineUnavailableError, match=r"multipose.* is missing"):
        MediapipeEngine().load()


def test_sizes_come_and_go_without_memory_staying(engine: MediapipeEngine, photo: Pixels) -> None:
    """Two sizes are held; a graph that is in a circle with its callback would never go."""
    shapes = [photo[:200], photo[:, :200], photo]
    for shape in shapes * 2:
        engine.sight(shape)
    before = _resident_mebibytes()
    for shape in shapes * 4:
        engine.sight(shape)
    assert _resident_mebibytes() - before < 150


def _resident_mebibytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1024**2


def test_several_people_are_detected_in_one_pass(engine: MediapipeEngine, photo: Pixels) -> None:
    gap = np.full((512, 200, 3), 128, np.uint8)
    pair = np.hstack([photo, gap, photo])
    found = engine.detect(pair)
    assert len(found) == 2
    lefts = sorted(detection.head[0] for detection in found)
    assert lefts[1] - lefts[0] == pytest.approx(712, abs=40)


@pytest.mark.parametrize("region", [Region(-900, 50, 100, 0), Region(100, 100, 0.001, 0), Region(1e6, 1e6, 300, 1)])
def test_a_region_without_anybody_gives_none(engine: MediapipeEngine, region: Region) -> None:
    assert engine.estimate_region(np.zeros((200, 200, 3), np.uint8), region) is None
