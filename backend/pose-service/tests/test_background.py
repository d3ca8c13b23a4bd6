"""How the camera moved, on pictures whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pose_service.contract.engine import Pixels
from pose_service.following.background import Background

SIZE = (640, 360)


def landscape() -> Image.Image:
    """Blobs of many sizes: something to hold on to everywhere."""
    random = np.random.default_rng(7)
    coarse = Image.fromarray(random.integers(0, 255, (60, 100), np.uint8)).resize((1600, 960), Image.Resampling.BICUBIC)
    fine = Image.fromarray(random.integers(0, 80, (240, 400), np.uint8)).resize((1600, 960), Image.Resampling.BICUBIC)
    return Image.fromarray((np.asarray(coarse) // 2 + np.asarray(fine)).astype(np.uint8)).convert("RGB")


def view(x: float, y: float, turn: float = 0.0) -> Pixels:
    """What a camera sees that looks at x, y of the landscape."""
    turned = landscape().rotate(turn, Image.Resampling.BICUBIC, center=(x + SIZE[0] / 2, y + SIZE[1] / 2))
    return np.asarray(turned.transform(SIZE, Image.Transform.AFFINE, (1, 0, x, 0, 1, y), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (7.0, 0.0), (-12.0, 4.0), (3.5, -9.0)])
def test_a_pan_is_measured(x: float, y: float) -> None:
    background = Background()
    assert background.measure(view(400, 300), ()) is None
    camera = background.measure(view(400 + x, 300 + y), ())
    assert camera is not None
    corners = np.array([[0.0, 0], SIZE])
    assert camera.move(corners) - corners == pytest.approx(np.array([[-x, -y]] * 2), abs=0.6)


def test_a_roll_is_measured() -> None:
    background = Background()
    background.measure(view(400, 300), ())
    camera = background.measure(view(400, 300, 2.0), ())
    assert camera is not None
    turn = np.degrees(np.arctan2(camera.matrix[1, 0], camera.matrix[0, 0]))
    assert abs(turn) == pytest.approx(2.0, abs=0.2)


def test_a_person_who_moves_is_no_background() -> None:
    background = Background()
    pictures = []
    for x in (100, 130):
        picture = Image.fromarray(view(400, 300))
        picture.paste(landscape().crop((0, 0, 220, 300)), (x, 30))
        pictures.append(np.asarray(picture))
    background.measure(pictures[0], ())
    camera = background.measure(pictures[1], [np.array([100.0, 30, 350, 330])])
    assert camera is not None
    assert camera.move(np.zeros((1, 2)))[0] == pytest.approx((0, 0), abs=0.5)


@pytest.mark.parametrize("picture", [np.full((360, 640, 3), 240, np.uint8), np.zeros((20, 20, 3), np.uint8)])
def test_empty_snow_says_nothing(picture: Pixels) -> None:
    background = Background()
    background.measure(picture, ())
    assert background.measure(picture, ()) is None


def test_pictures_that_have_nothing_in_common_say_nothing() -> None:
    background = Background()
    random = np.random.default_rng(1)
    background.measure(random.integers(0, 255, (360, 640, 3), np.uint8), ())
    assert background.measure(random.integers(0, 255, (360, 640, 3), np.uint8), ()) is None


def test_motion_in_a_larger_frame_is_larger() -> None:
    background = Background()
    background.measure(view(400, 300), ())
    camera = background.measure(view(408, 306), ())
    assert camera is not None
    assert camera.scaled(3, 3).move(np.zeros((1, 2)))[0] == pytest.approx((-24, -18), abs=1.8)
