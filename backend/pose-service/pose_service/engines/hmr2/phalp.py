"""The only door to PHALP, which follows people through the pictures in a folder.

As track.py of 4D-Humans does it, without the texture renderer, downloads, command line and prints.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# 4D-Humans pads boxes to the shape that its model saw in training.
BOX_SHAPE = (192, 256)
# Its own limits are 50 x 100 pixels and 0.8: riders far away would be nobody.
SMALL_WIDTH, SMALL_HEIGHT, LOW_SCORE = 20, 40, 0.6


class TrackingError(Exception):
    """PHALP gave up; the text is the last that it printed."""


class Stopped(BaseException):
    """Nobody waits for the result; not an Exception, because PHALP swallows those."""


class Phalp:
    """PHALP with the body model that is loaded already, on the same GPU."""

    def __init__(self, body: Any, use: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            self._tracker = _make_tracker(body, "vitdet" if use == "hmr2" else "maskrcnn")

    def track(self, folder: Path, output: Path, on_frame: Callable[[], None]) -> Mapping[str, Any]:
        """Path of a picture → what PHALP saw on it. `folder` holds NAME.jpg; both folders have names of our making.

        on_frame is called before every picture; what it raises ends the work. Raises TrackingError.
        """
        self._tracker.cfg.video.source, self._tracker.cfg.video.output_dir = str(folder), str(output)
        self._tracker.on_frame = on_frame
        with contextlib.redirect_stdout(io.StringIO()) as said:
            outcome = self._tracker.track()
        # It prints every error and returns None; the exit code of its command line is 0 then, too.
        if not isinstance(outcome, tuple):
            lines = [line for line in said.getvalue().splitlines() if line.strip()]
            raise TrackingError(lines[-1] if lines else "it said nothing")
        found: Mapping[str, Any] = outcome[0]
        return found


def _make_tracker(body: Any, detector: str) -> Any:
    from hmr2.datasets.utils import expand_bbox_to_aspect_ratio
    from omegaconf import OmegaConf
    from phalp.configs.base import FullConfig
    from phalp.models.hmar.hmr import HMR2018Predictor
    from phalp.trackers.PHALP import PHALP

    class Predictor(HMR2018Predictor):  # type: ignore[misc]
        """Posture from HMR2, appearance from the older model: no renderer has to be compiled for it."""

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.model = body

        def forward(self, x: Any) -> Any:
            seen = self.model({"img": x[:, :3, :, :], "mask": x[:, 3, :, :].clip(0, 1)})
            return {**self.hmar_old(x), "pose_smpl": seen["pred_smpl_params"], "pred_cam": seen["pred_cam"]}

    class Tracker(PHALP):  # type: ignore[misc]
        on_frame: Callable[[], None] = staticmethod(lambda: None)

        def cached_download_from_drive(self, *_: Any, **__: Any) -> None:
            """The files are there: see pose_service.weights."""

        def setup_hmr(self) -> None:
            self.HMAR = Predictor(self.cfg)

        def setup_visualizer(self) -> None:
            """Nothing is drawn."""

        def get_detections(self, *words: Any, **named: Any) -> Any:
            self.on_frame()
            boxes, _, *rest = super().get_detections(*words, **named)
            return (boxes, expand_bbox_to_aspect_ratio(boxes, BOX_SHAPE), *rest)

    return Tracker(_config(OmegaConf.structured(FullConfig), detector))


def _config(config: Any, detector: str) -> Any:
    config.render.enable = False
    config.overwrite = True
    config.phalp.detector = detector
    config.phalp.small_w, config.phalp.small_h, config.phalp.low_th_c = SMALL_WIDTH, SMALL_HEIGHT, LOW_SCORE
    return config
