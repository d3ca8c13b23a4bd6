"""MoveNet MultiPose on the TFLite inside MediaPipe: everybody in one image in one pass, 17 points each."""

from __future__ import annotations

import contextlib
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pose_service.contract.coco import NAMES
from pose_service.contract.engine import Floats, Pixels
from pose_service.contract.sighting import Sighting
from pose_service.engines.model_size import with_input_size

# The model's own choice; more pixels find hardly more people and cost time in proportion.
SIDE = 512
# Height and width of what the model is fed. A wide frame of a clip costs half of a square.
SIZES = ((288, 512), (512, 288), (512, 512))
# Each size takes 100 to 140 MB: photos need the square, a clip one other.
HELD = 2
# The outputs of one person: y, x and score of 17 points, a box, and the score of the whole.
ROWS, NUMBERS = 6, 56
# With two threads and busy cores a pass of 26 ms becomes one of 250.
GRAPH = """
input_stream: "image"
output_stream: "people"
node {{
  calculator: "ImageToTensorCalculator"
  input_stream: "IMAGE:image"
  output_stream: "TENSORS:input"
  options {{ [mediapipe.ImageToTensorCalculatorOptions.ext] {{
    output_tensor_width: {width} output_tensor_height: {height} keep_aspect_ratio: false
    output_tensor_float_range {{ min: 0.0 max: 255.0 }} }} }}
}}
node {{
  calculator: "InferenceCalculatorCpu"
  input_stream: "TENSORS:input"
  output_stream: "TENSORS:output"
  options {{ [mediapipe.InferenceCalculatorOptions.ext] {{
    model_path: "{path}" delegate {{ xnnpack {{ num_threads: 1 }} }} }} }}
}}
node {{
  calculator: "TensorsToFloatsCalculator"
  input_stream: "TENSORS:output"
  output_stream: "FLOATS:people"
}}
"""


class Multipose:
    """The model in up to HELD sizes; used by one thread at a time, useless after any exception."""

    def __init__(self, model: Path) -> None:
        """Read the file. Raises OSError when it is missing."""
        self._model = model.read_bytes()
        self._graphs: OrderedDict[tuple[int, int], _Graph] = OrderedDict()

    def sight(self, rgb: Pixels) -> list[Sighting]:
        """Six sightings in pixels of (H, W, 3) `rgb`, most of them nobody. Raises ValueError for an empty image."""
        canvas, ratio = fit(rgb)
        rows = self._graph(canvas.shape[0], canvas.shape[1]).run(canvas)
        size = np.array([canvas.shape[1], canvas.shape[0]])
        return [_sighting(row, size * ratio) for row in rows]

    def close(self) -> None:
        """Release the models."""
        while self._graphs:
            self._graphs.popitem()[1].close()

    def _graph(self, height: int, width: int) -> _Graph:
        size = (height, width)
        if size not in self._graphs:
            if len(self._graphs) == HELD:
                self._graphs.popitem(last=False)[1].close()
            self._graphs[size] = _Graph(self._model, size)
        self._graphs.move_to_end(size)
        return self._graphs[size]


def fit(rgb: Pixels) -> tuple[Pixels, Floats]:
    """The image in the smallest of SIZES that holds it with its longer side at SIDE, black below or to the right.

    And pixels of the image for one of the canvas, across and down (2,). Raises ValueError for an empty image.
    """
    height, width = rgb.shape[:2]
    ratio = SIDE / max(height, width)
    fitted = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    size = next(each for each in SIZES if fitted[1] <= each[0] and fitted[0] <= each[1])
    small = Image.fromarray(rgb).resize(fitted, Image.Resampling.BILINEAR, reducing_gap=2.0)
    canvas = np.zeros((*size, 3), np.uint8)
    canvas[: fitted[1], : fitted[0]] = np.asarray(small)
    return canvas, np.array([width / fitted[0], height / fitted[1]])


class _Graph:
    def __init__(self, model: bytes, size: tuple[int, int]) -> None:
        import mediapipe
        from google.protobuf import text_format
        from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig

        self._mediapipe = mediapipe
        self._time = 0
        # No method of this object: the graph would hold the object that holds the graph, and neither would ever go.
        answers: list[Any] = []
        self._answers = answers
        # MediaPipe opens a path; the sized copy needs no place on a disk.
        with contextlib.closing(_Unnamed(with_input_size(model, *size))) as file:
            text = GRAPH.format(height=size[0], width=size[1], path=file.path)
            self._graph = mediapipe.CalculatorGraph(graph_config=text_format.Parse(text, CalculatorGraphConfig()))
            self._graph.observe_output_stream("people", lambda _name, packet: answers.append(packet))
            self._graph.start_run()
            self.run(np.zeros((*size, 3), np.uint8))

    def run(self, canvas: Pixels) -> Floats:
        """(ROWS, NUMBERS) as the model writes them."""
        self._answers.clear()
        self._time += 1
        image = self._mediapipe.packet_creator.create_image_frame(
            np.ascontiguousarray(canvas), image_format=self._mediapipe.ImageFormat.SRGB
        )
        self._graph.add_packet_to_input_stream("image", image.at(self._time))
        self._graph.wait_until_idle()
        numbers = self._mediapipe.packet_getter.get_float_list(self._answers.pop())
        return np.array(numbers, np.float64).reshape(ROWS, NUMBERS)

    def close(self) -> None:
        self._graph.close()


class _Unnamed:
    """A file in memory with a path for this process."""

    def __init__(self, content: bytes) -> None:
        self._fd = os.memfd_create("model")
        self.path = f"/proc/self/fd/{self._fd}"
        with open(self._fd, "wb", closefd=False) as file:
            file.write(content)

    def close(self) -> None:
        os.close(self._fd)


def _sighting(row: Floats, size: Floats) -> Sighting:
    points = row[: 3 * len(NAMES)].reshape(len(NAMES), 3)
    return Sighting(float(np.clip(row[-1], 0.0, 1.0)), points[:, 1::-1] * size, np.clip(points[:, 2], 0.0, 1.0))
