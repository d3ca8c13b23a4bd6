"""The only door to PyTorch, Detectron2 and 4D-Humans; what comes out is NumPy.

Calls as in demo.py of 4D-Humans at the pinned commit, without its downloads, renderers and prints.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pose_service.contract.engine import EngineUnavailableError, Floats, Pixels
from pose_service.engines.hmr2.phalp import Phalp
from pose_service.weights.check import require

DEVICE = "cuda:0"
PERSON_CLASS = 0
# The detector proposes from here on; who counts is decided by the score that was asked for.
PROPOSAL_SCORE = 0.25
LIGHT_DETECTOR = "new_baselines/mask_rcnn_regnety_4gf_dds_FPN_400ep_LSJ.py"
# ViTDet-H and HMR2 take 9.5 GB together, with RegNetY 5.2 GB.
VITDET_BYTES = 12_000_000_000


class GpuError(Exception):
    """The GPU itself failed."""


class GpuFullError(GpuError):
    """Not enough memory on the GPU for this call; another one may fit."""


class GpuLostError(GpuError):
    """The GPU does not compute any more in this process."""


@dataclass(frozen=True)
class Prediction:
    """One person as HMR2 sees one crop, all float32.

    keypoints (44, 2) fractions of the crop's side from its centre; joints (44, 3) and vertices (6890, 3) metres,
    x right, y down, z away; camera (3,); global_orient (3, 3); body_pose (23, 3, 3); betas (10,).
    """

    keypoints: Floats
    joints: Floats
    vertices: Floats
    camera: Floats
    global_orient: Floats
    body_pose: Floats
    betas: Floats


@dataclass(frozen=True)
class Crop:
    """What the model looks at: image (3, 256, 256) normalised; centre (2,) and side in pixels of the whole image."""

    image: Floats
    centre: Floats
    side: float


def require_gpu() -> str:
    """Which detector fits on the GPU: hmr2 or hmr2-light. Raises EngineUnavailableError when there is no GPU."""
    try:
        import torch
    except ImportError as error:
        raise EngineUnavailableError(f"hmr2 needs the GPU image, and this is none ({error})") from error
    if not torch.cuda.is_available():
        raise EngineUnavailableError("hmr2 needs a GPU and PyTorch sees none: `invoke gpu` says what is missing")
    _, total_bytes = torch.cuda.mem_get_info()
    return "hmr2" if total_bytes >= VITDET_BYTES else "hmr2-light"


class Hmr2Models:
    """A detector and HMR2 on one GPU. Raises GpuFullError and GpuLostError; everything else is a fault of the input."""

    def __init__(self, files: Mapping[str, Path], use: str, home: Path) -> None:
        # Both are read when 4D-Humans is imported; a breakpoint in it would wait for ever.
        os.environ["HOME"] = str(home)
        os.environ["PYTHONBREAKPOINT"] = "0"
        os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
        self._use, self._home = use, home
        self._tracker: Phalp | None = None
        with _silence():
            self._config = _read_config(files["hmr2-config"])
            self._body = _load_body(files["hmr2-checkpoint"], self._config)
            self._detector = _load_detector(files["vitdet-h" if use == "hmr2" else "regnety"], use)

    @property
    def focal_length(self) -> float:
        """Of the crop's camera, as a multiple of the crop's side."""
        return float(self._config.EXTRA.FOCAL_LENGTH / self._config.MODEL.IMAGE_SIZE)

    @property
    def faces(self) -> Floats:
        """(13776, 3) indices of vertices."""
        return np.asarray(self._body.smpl.faces)

    def detect(self, bgr: Pixels) -> tuple[Floats, Floats]:
        """Boxes (n, 4) x0, y0, x1, y1 in pixels and scores (n,) of the people in an (H, W, 3) BGR image."""
        with _gpu_errors(), _silence():
            found = self._detector(bgr)["instances"]
            people = found.pred_classes == PERSON_CLASS
            boxes, scores = found.pred_boxes.tensor[people], found.scores[people]
            return boxes.cpu().numpy().astype(np.float64), scores.cpu().numpy().astype(np.float64)

    def crop(self, bgr: Pixels, boxes: Floats) -> list[Crop]:
        """One crop a box, none for no boxes."""
        if not len(boxes):
            return []
        from hmr2.datasets.vitdet_dataset import ViTDetDataset

        with _silence():
            items = ViTDetDataset(self._config, bgr, boxes)
            return [_crop(items[index]) for index in range(len(boxes))]

    def predict(self, crops: list[Crop]) -> list[Prediction]:
        """One prediction a crop, in one batch."""
        import torch

        with _gpu_errors(), _silence(), torch.inference_mode():
            images = torch.from_numpy(np.stack([crop.image for crop in crops])).to(DEVICE)
            out = self._body({"img": images})
            return [_prediction(out, index) for index in range(len(crops))]

    def tracker(self) -> Phalp:
        """PHALP on the same body model, loaded with the first clip. Raises MissingWeightsError."""
        if self._tracker is None:
            require(self._home, "video")
            self._tracker = Phalp(self._body, self._use)
        return self._tracker

    def free_memory(self) -> None:
        """Give the GPU back what PyTorch only keeps for later."""
        import torch

        with contextlib.suppress(RuntimeError):
            torch.cuda.empty_cache()


def _read_config(file: Path) -> Any:
    from hmr2.configs import get_config

    config = get_config(str(file), update_cachedir=True)
    if config.MODEL.BACKBONE.TYPE == "vit" and "BBOX_SHAPE" not in config.MODEL:
        config.defrost()
        config.MODEL.BBOX_SHAPE = [192, 256]
        config.freeze()
    return config


def _load_body(file: Path, config: Any) -> Any:
    from hmr2.models import HMR2

    model = HMR2.load_from_checkpoint(str(file), strict=False, cfg=config, init_renderer=False, map_location="cpu")
    return model.to(DEVICE).eval()


def _load_detector(file: Path, use: str) -> Any:
    from hmr2.utils.utils_detectron2 import DefaultPredictor_Lazy

    config = _vitdet_config() if use == "hmr2" else _regnety_config()
    # A local file: an address would be fetched.
    config.train.init_checkpoint = str(file)
    return DefaultPredictor_Lazy(config)


def _vitdet_config() -> Any:
    import hmr2
    from detectron2.config import LazyConfig

    config = LazyConfig.load(str(Path(hmr2.__file__).parent / "configs" / "cascade_mask_rcnn_vitdet_h_75ep.py"))
    for predictor in config.model.roi_heads.box_predictors:
        predictor.test_score_thresh = PROPOSAL_SCORE
    return config


def _regnety_config() -> Any:
    from detectron2 import model_zoo

    config = model_zoo.get_config(LIGHT_DETECTOR)
    config.model.roi_heads.box_predictor.test_score_thresh = PROPOSAL_SCORE
    config.model.roi_heads.box_predictor.test_nms_thresh = 0.4
    return config


def _crop(item: Mapping[str, Any]) -> Crop:
    # Everything but the image comes as float64.
    image, centre = np.asarray(item["img"], np.float32), np.asarray(item["box_center"], np.float32)
    return Crop(image, centre, float(item["box_size"]))


def _prediction(out: Mapping[str, Any], index: int) -> Prediction:
    def numbers(value: Any) -> Floats:
        return np.asarray(value[index].float().cpu().numpy())

    body = out["pred_smpl_params"]
    return Prediction(
        keypoints=numbers(out["pred_keypoints_2d"]),
        joints=numbers(out["pred_keypoints_3d"]),
        vertices=numbers(out["pred_vertices"]),
        camera=numbers(out["pred_cam"]),
        global_orient=numbers(body["global_orient"])[0],
        body_pose=numbers(body["body_pose"]),
        betas=numbers(body["betas"]),
    )


@contextlib.contextmanager
def _gpu_errors() -> Any:
    import torch

    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise GpuFullError(str(error)) from error
    except RuntimeError as error:
        if "CUDA" in str(error):
            raise GpuLostError(str(error)) from error
        raise


def _silence() -> contextlib.redirect_stdout[io.StringIO]:
    """4D-Humans prints a line a person."""
    return contextlib.redirect_stdout(io.StringIO())
