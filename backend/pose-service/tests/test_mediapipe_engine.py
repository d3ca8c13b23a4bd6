"""The engine under threads and after failures."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pose_service.contract.engine import EngineFailedError, Pixels
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
    with Pose(static_image_mode=True, model_complexity=1) as pose:
        result = pose.process(rgb)
    expected = [(mark.x * 900, mark.y * 512) for mark in result.pose_landmarks.landmark]
    np.testing.assert_allclose(person.keypoints, expected, atol=0.5)
    world = [(mark.x, mark.y, mark.z) for mark in result.pose_world_landmarks.landmark]
    np.testing.assert_allclose(person.world, world, atol=0.002)


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
