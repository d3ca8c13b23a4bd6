"""The engine under threads and after failures."""

from __future__ import annotations

import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pose_service.engine import EngineFailedError, Pixels
from pose_service.mediapipe_engine import MediapipeEngine


@pytest.fixture
def engine() -> MediapipeEngine:
    engine = MediapipeEngine()
    engine.load()
    return engine


@pytest.fixture
def photo(astronaut: Path) -> Pixels:
    return np.asarray(Image.open(astronaut))


def test_four_threads_get_the_same_answer_as_one(engine: MediapipeEngine, photo: Pixels) -> None:
    (alone,) = engine.estimate(photo)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(engine.estimate, [photo] * 24))
    for (person,) in answers:
        np.testing.assert_allclose(person.keypoints, alone.keypoints, atol=0.5)


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
