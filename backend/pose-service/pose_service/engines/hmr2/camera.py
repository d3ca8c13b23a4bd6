"""From the square that the model sees to the whole image."""

from __future__ import annotations

import numpy as np

from pose_service.contract.engine import Floats


def keypoints_in_image(keypoints: Floats, centre: Floats, side: float) -> Floats:
    """(K, 2) fractions of the crop's side, from its centre, as pixels of the image."""
    return np.asarray(keypoints, np.float64) * side + centre


def camera_in_image(camera: Floats, centre: Floats, side: float, size: tuple[int, int], focal_pixels: float) -> Floats:
    """Where the body stands (3,), metres, for a camera in the middle of an image of `size` (width, height).

    camera: (3,) scale and shift of the weak-perspective camera of the crop, as HMR2 predicts it.
    """
    scaled = side * float(camera[0]) + 1e-9
    shift = 2 * (np.asarray(centre, np.float64) - np.array(size) / 2) / scaled
    return np.array([camera[1] + shift[0], camera[2] + shift[1], 2 * focal_pixels / scaled])
