"""FAKE phalp and omegaconf: the order in which the real tracker sets itself up, and how it hides its errors."""

from __future__ import annotations

import sys
import traceback
import types
from pathlib import Path
from typing import Any

import numpy as np


class HMR2018Predictor:
    """The older model."""

    def __init__(self, cfg: Any) -> None:
        self.weights = cfg.hmr.hmar_path

    def hmar_old(self, x: Any) -> dict[str, Any]:
        return {"uv_vector": x, "pose_smpl": "of the old one"}


class PHALP:
    """`fails` is what the work on the second picture raises."""

    fails = ""

    def __init__(self, cfg: Any) -> None:
        self.cfg = cfg
        self.cached_download_from_drive()
        self.setup_hmr()
        self.setup_detectron2()
        self.setup_visualizer()

    def cached_download_from_drive(self) -> None:
        raise OSError("there is no network")

    def setup_hmr(self) -> None:
        raise AssertionError("the old model")

    def setup_visualizer(self) -> None:
        raise ImportError("Unable to load EGL library")

    def setup_detectron2(self) -> None:
        assert self.cfg.phalp.detector in ("vitdet", "maskrcnn")

    def track(self) -> Any:
        assert not self.cfg.render.enable
        found = {}
        try:
            for number, path in enumerate(sorted(map(str, Path(self.cfg.video.source).glob("*.jpg")))):
                sys.stdout.write(f"Tracking: {path}\n")
                boxes, padded, *_ = self.get_detections(np.zeros((4, 4, 3)), path, number, {}, [])
                found[path] = {"boxes": boxes, "padded": padded}
                if self.fails and number == 1:
                    raise RuntimeError(self.fails)
            return found, self.cfg.video.output_dir + "/results/demo_clip.pkl"
        except Exception as error:
            sys.stdout.write(f"{error}\n{traceback.format_exc()}\n")
            return None

    def get_detections(self, image: Any, name: str, t: int, extra: Any = None, sizes: Any = None) -> Any:
        boxes = np.array([[10.0, 10.0, 20.0, 40.0]])
        return boxes, boxes, [], [], [], [], []


def make_phalp(fails: str = "") -> dict[str, types.ModuleType]:
    """Name → module."""
    names = ("omegaconf", "phalp", "phalp.configs", "phalp.configs.base", "phalp.models", "phalp.models.hmar")
    modules: dict[str, Any] = {name: types.ModuleType(name) for name in names}
    for name in ("phalp.models.hmar.hmr", "phalp.trackers", "phalp.trackers.PHALP", "hmr2.datasets.utils"):
        modules[name] = types.ModuleType(name)
    modules["omegaconf"].OmegaConf = types.SimpleNamespace(structured=lambda kind: kind())
    modules["phalp.configs.base"].FullConfig = _make_config
    modules["phalp.models.hmar.hmr"].HMR2018Predictor = HMR2018Predictor
    modules["phalp.trackers.PHALP"].PHALP = type("PHALP", (PHALP,), {"fails": fails})
    modules["hmr2.datasets.utils"].expand_bbox_to_aspect_ratio = _expand
    return modules


def _make_config() -> Any:
    section = types.SimpleNamespace
    return section(
        video=section(source="???", output_dir="outputs/"),
        phalp=section(detector="vitdet", small_w=50, small_h=100, low_th_c=0.8),
        render=section(enable=True),
        hmr=section(hmar_path="hmar_v2_weights.pth"),
        overwrite=False,
    )


def _expand(boxes: Any, shape: tuple[int, int]) -> Any:
    assert shape == (192, 256)
    return boxes + 1
