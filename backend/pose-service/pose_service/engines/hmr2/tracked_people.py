"""People as PHALP writes them down, as the service knows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pose_service.contract.engine import Body3D, Person
from pose_service.engines.hmr2 import keypoints
from pose_service.finding.people_finder import FindOptions
from pose_service.following.track import TrackedPerson

COUNT = len(keypoints.NAMES)
# The camera of the 256-pixel frame that PHALP computes in.
FOCAL_RATIO = 5000 / 256


def read_people(entry: Mapping[str, Any], size: tuple[int, int], options: FindOptions) -> tuple[TrackedPerson, ...]:
    """Everybody who was really seen on one picture of `size` (width, height), the surest first.

    entry: one value of PHALP's result: parallel lists, one item a track. A track that only continues in PHALP's
    imagination (tracked_time above 0) is nobody.
    """
    seen = [index for index, missed in enumerate(entry.get("tracked_time", ())) if missed == 0]
    people = [TrackedPerson(int(entry["tid"][index]), _person(entry, index, size)) for index in seen]
    sure = sorted((one for one in people if one.person.score >= options.min_score), key=lambda one: -one.person.score)
    return tuple(sure[: options.max_people])


def _person(entry: Mapping[str, Any], index: int, size: tuple[int, int]) -> Person:
    side = max(size)
    # Fractions of a square around the picture, with the picture in its middle.
    padding = (side - np.array(size)) // 2
    points = np.asarray(entry["2d_joints"][index], np.float64).reshape(-1, 2)[:COUNT] * side - padding
    joints = np.asarray(entry["3d_joints"][index], np.float64)[:COUNT]
    x, y, width, height = (float(edge) for edge in entry["bbox"][index])
    score = float(np.clip(entry["conf"][index], 0.0, 1.0))
    return Person(
        box=np.clip([x, y, x + width, y + height], 0, [*size, *size]),
        score=score,
        skeleton=keypoints.SKELETON,
        names=keypoints.NAMES,
        keypoints=points,
        confidence=np.full(COUNT, score),
        world=joints - (joints[keypoints.LEFT_HIP] + joints[keypoints.RIGHT_HIP]) / 2,
        body=_body(entry["smpl"][index], entry["camera"][index], FOCAL_RATIO * side),
    )


def _body(smpl: Mapping[str, Any], camera: Any, focal_pixels: float) -> Body3D:
    return Body3D(
        global_orient=np.asarray(smpl["global_orient"], np.float32).reshape(3, 3),
        body_pose=np.asarray(smpl["body_pose"], np.float32).reshape(23, 3, 3),
        betas=np.asarray(smpl["betas"], np.float32).reshape(10),
        camera=np.asarray(camera, np.float64).reshape(3),
        focal_pixels=focal_pixels,
    )
