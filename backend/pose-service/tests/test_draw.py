"""The picture with the skeletons on it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from bodies import person, posture
from PIL import Image

from pose_service.contract.blazepose import NAMES
from pose_service.contract.skeleton import bones
from pose_service.web.draw import COLOURS, draw_people, encode

SNOW = np.full((480, 640, 3), 250, np.uint8)


def colour_between(image: Image.Image, first: str, second: str) -> tuple[int, ...]:
    """A third of the way along the bone, away from the dots at its ends."""
    rider = posture()
    start, end = (rider.keypoints[rider.names.index(name)] for name in (first, second))
    x, y = start + (end - start) / 3
    return image.getpixel((round(x), round(y)))


def test_left_and_right_are_drawn_in_their_colours_on_a_copy() -> None:
    image = draw_people(SNOW, [posture()])
    assert image.size == (640, 480)
    assert colour_between(image, "left_hip", "left_knee") == COLOURS["left"]
    assert colour_between(image, "right_shoulder", "right_elbow") == COLOURS["right"]
    assert colour_between(image, "left_shoulder", "right_shoulder") == COLOURS["middle"]
    assert (SNOW == 250).all()


def test_hidden_points_are_not_drawn() -> None:
    rider = posture()
    rider.confidence[NAMES.index("left_knee")] = 0.3
    image = draw_people(SNOW, [rider])
    assert colour_between(image, "left_hip", "left_knee") == (250, 250, 250)
    assert colour_between(image, "right_hip", "right_knee") == COLOURS["right"]
    assert np.array_equal(np.asarray(draw_people(SNOW, [person(posture().world, confidence=0.1)])), SNOW)


def test_points_far_outside_do_no_harm() -> None:
    rider = posture(left_wrist=(400.0, -900.0, 0.0))
    assert draw_people(SNOW, [rider]).size == (640, 480)


@pytest.mark.parametrize(("media_type", "name"), [("image/png", "PNG"), ("image/jpeg", "JPEG")])
def test_both_formats(media_type: str, name: str) -> None:
    image = Image.open(io.BytesIO(encode(draw_people(SNOW, [posture()]), media_type)))
    assert (image.format, image.size) == (name, (640, 480))


def test_bones_follow_the_names_of_any_skeleton() -> None:
    names = ("left_hip", "left_knee", "left_ankle", "left_big_toe", "left_small_toe", "nose")
    assert {(names[start], names[end]) for start, end, _ in bones(names)} == {
        ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"),
        ("left_ankle", "left_big_toe"),
        ("left_big_toe", "left_small_toe"),
    }
