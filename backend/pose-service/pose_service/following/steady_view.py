"""The clip as a camera on a tripod would show it: the background's motion taken out."""

from __future__ import annotations

from typing import Optional

import numpy as np

from pose_service.contract.engine import Person
from pose_service.following.background import CameraMotion
from pose_service.measuring.flight import HipHeight, pixels_a_metre


class SteadyView:
    """Frames in order. Where the camera's motion is unknown a new view begins: places are not comparable across it."""

    def __init__(self) -> None:
        self.number = 0
        self._to_view = np.eye(3)
        self._is_first = True

    def advance(self, camera: Optional[CameraMotion]) -> None:
        """The next frame: how the camera moved since the last one."""
        if camera is None:
            self.number += 0 if self._is_first else 1
            self._to_view = np.eye(3)
        else:
            self._to_view = self._to_view @ np.linalg.inv(np.vstack([camera.matrix, [0, 0, 1]]))
        self._is_first = False

    def hip_height(self, person: Person, time_seconds: float) -> Optional[HipHeight]:
        """The hips of somebody in this frame; None when they are hidden."""
        scale = pixels_a_metre(person)
        if scale is None:
            return None
        hips = person.keypoints[[person.names.index(f"{side}_hip") for side in ("left", "right")]].mean(axis=0)
        _, down, _ = self._to_view @ (*hips, 1)
        zoom = float(np.sqrt(np.linalg.det(self._to_view[:2, :2])))
        return HipHeight(time_seconds, float(down), scale * zoom, self.number)
