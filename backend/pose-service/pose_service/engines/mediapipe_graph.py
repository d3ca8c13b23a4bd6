"""MediaPipe's person detector and BlazePose heavy, each callable on its own.

`mp.solutions.pose` joins them in one graph that follows one person. Its parts are registered subgraphs, so several
people can be detected in one call, and a person whose place is known needs no detection.
"""

from __future__ import annotations

import os
from typing import Any, Optional

import numpy as np

from pose_service.contract.engine import Floats, Pixels
from pose_service.contract.region import Detection, Region, region_around

DETECTOR = """
input_stream: "image"
output_stream: "detections"
node { calculator: "PoseDetectionCpu" input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections" }
"""
LANDMARKS = """
input_stream: "image"
input_stream: "roi"
input_side_packet: "complexity"
output_stream: "landmarks"
output_stream: "world"
output_stream: "rim"
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  input_side_packet: "MODEL_COMPLEXITY:complexity"
  output_stream: "LANDMARKS:landmarks"
  output_stream: "WORLD_LANDMARKS:world"
  output_stream: "AUXILIARY_LANDMARKS:rim"
}
"""


# 0, 1, 2: lite, full, heavy. Heavy places 75 % of ankles and 80 % of knees right, full 61 and 67.
HEAVY = 2


class MediapipeGraphs:
    """One detector and one keypoint model; used by one thread at a time, useless after any exception."""

    def __init__(self) -> None:
        """Build both (about 10 ms). Raises ImportError where MediaPipe is not installed."""
        os.environ.setdefault("GLOG_minloglevel", "2")
        from mediapipe.framework.formats.rect_pb2 import NormalizedRect

        self._rect = NormalizedRect
        self._detector = _graph(DETECTOR, ["detections"])
        self._landmarks = _graph(LANDMARKS, ["landmarks", "world", "rim"], {"complexity": HEAVY})

    def detect(self, rgb: Pixels) -> list[Detection]:
        """Everybody whom the detector sees with a score of at least 0.5, in pixels of (H, W, 3) `rgb`."""
        found = self._detector.process(rgb).detections or []
        size = np.array([rgb.shape[1], rgb.shape[0]], np.float64)
        return [_detection(item, size) for item in found]

    def estimate(self, rgb: Pixels, region: Region) -> tuple[Floats, Floats, Region] | None:
        """Keypoints (33, 4) x, y in pixels, z, visibility; world (33, 3) in metres; the region for the next frame.

        None when the model says that nobody is there.
        """
        height, width = rgb.shape[:2]
        rect = self._rect(
            x_center=region.x / width,
            y_center=region.y / height,
            width=region.side / width,
            height=region.side / height,
            rotation=region.turn,
        )
        result = self._landmarks.process({"image": rgb, "roi": rect})
        if result.landmarks is None or result.world is None:
            return None
        points = np.array(
            [(mark.x * width, mark.y * height, mark.z, mark.visibility) for mark in result.landmarks.landmark]
        )
        world = np.array([(mark.x, mark.y, mark.z) for mark in result.world.landmark])
        centre, rim = (np.array([mark.x * width, mark.y * height]) for mark in result.rim.landmark[:2])
        return points, world, region_around(centre, rim)

    def close(self) -> None:
        """Release both models."""
        self._detector.close()
        self._landmarks.close()


def _graph(text: str, outputs: list[str], side_inputs: Optional[dict[str, int]] = None) -> Any:
    from google.protobuf import text_format
    from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig
    from mediapipe.python.solution_base import SolutionBase

    return SolutionBase(
        graph_config=text_format.Parse(text, CalculatorGraphConfig()), outputs=outputs, side_inputs=side_inputs
    )


def _detection(item: Any, size: Floats) -> Detection:
    box, marks = item.location_data.relative_bounding_box, item.location_data.relative_keypoints
    corners = np.array([[box.xmin, box.ymin], [box.xmin + box.width, box.ymin + box.height]])
    head = (corners * size).reshape(4)
    centre, rim = (np.array([mark.x, mark.y]) * size for mark in marks[:2])
    return Detection(min(1.0, float(item.score[0])), head, region_around(centre, rim))
