"""FAKE hmr2 and detectron2: what is called, with the checks that a wrong call would fail in the real ones."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fake_hmr2.tensors import Tensor

CLASSES = 80


class Node(dict):  # type: ignore[type-arg]
    """A yacs configuration: attributes, and frozen unless defrosted."""

    frozen = False

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error

    def __setattr__(self, name: str, value: Any) -> None:
        assert not Node.frozen, f"Attempted to set {name}, but the configuration is immutable"
        self[name] = value

    def defrost(self) -> None:
        Node.frozen = False

    def freeze(self) -> None:
        Node.frozen = True


@dataclass
class World:
    """What the fakes show and do, and what they were asked."""

    boxes: list[list[float]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    joints: Any = None
    failures: list[Exception] = field(default_factory=list)
    most_at_once: int = 1000
    batches: list[int] = field(default_factory=list)
    checkpoints: list[str] = field(default_factory=list)
    detector_files: list[str] = field(default_factory=list)
    torch: Any = None

    def fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


def make_packages(world: World) -> dict[str, types.ModuleType]:
    """Name → module, for sys.modules."""
    packages = {
        "torch": world.torch,
        "hmr2": _module("hmr2", __file__="/site-packages/hmr2/__init__.py"),
        "hmr2.configs": _module("hmr2.configs", get_config=_get_config),
        "hmr2.models": _module("hmr2.models", HMR2=_make_body(world)),
        "hmr2.datasets": _module("hmr2.datasets"),
        "hmr2.datasets.vitdet_dataset": _module("hmr2.datasets.vitdet_dataset", ViTDetDataset=_ViTDetDataset),
        "hmr2.utils": _module("hmr2.utils"),
        "hmr2.utils.utils_detectron2": _module(
            "hmr2.utils.utils_detectron2", DefaultPredictor_Lazy=_make_detector(world)
        ),
        "detectron2": _module("detectron2"),
        "detectron2.config": _module("detectron2.config", LazyConfig=types.SimpleNamespace(load=_vitdet_config)),
        "detectron2.model_zoo": _module("detectron2.model_zoo", get_config=_regnety_config),
    }
    packages["detectron2"].model_zoo = packages["detectron2.model_zoo"]  # type: ignore[attr-defined]
    return packages


def _module(name: str, **members: Any) -> types.ModuleType:
    module = types.ModuleType(name)
    for key, value in members.items():
        setattr(module, key, value)
    return module


def _get_config(config_file: str, merge: bool = True, update_cachedir: bool = False) -> Node:
    assert config_file.endswith("model_config.yaml")
    assert update_cachedir
    Node.frozen = False
    config = Node(
        MODEL=Node(IMAGE_SIZE=256, BACKBONE=Node(TYPE="vit")), EXTRA=Node(FOCAL_LENGTH=5000), SMPL=Node(FACES=13776)
    )
    config.freeze()
    return config


def _vitdet_config(file: str) -> Any:
    assert file.endswith("hmr2/configs/cascade_mask_rcnn_vitdet_h_75ep.py")
    predictors = [types.SimpleNamespace(test_score_thresh=0.05) for _ in range(3)]
    heads = types.SimpleNamespace(box_predictors=predictors)
    return types.SimpleNamespace(
        train=types.SimpleNamespace(init_checkpoint="https://"), model=types.SimpleNamespace(roi_heads=heads)
    )


def _regnety_config(path: str, trained: bool = False) -> Any:
    assert path.endswith("400ep_LSJ.py")
    assert not trained, "this sets an address that is fetched"
    heads = types.SimpleNamespace(box_predictor=types.SimpleNamespace(test_score_thresh=0.05, test_nms_thresh=0.5))
    return types.SimpleNamespace(
        train=types.SimpleNamespace(init_checkpoint=""), model=types.SimpleNamespace(roi_heads=heads)
    )


def _make_detector(world: World) -> type:
    class DefaultPredictorLazy:
        def __init__(self, config: Any) -> None:
            assert "://" not in config.train.init_checkpoint
            world.detector_files.append(config.train.init_checkpoint)

        def __call__(self, image: Any) -> dict[str, Any]:
            assert image.dtype == np.uint8
            assert image.flags.c_contiguous
            world.fail()
            boxes = np.asarray(world.boxes, np.float32).reshape(-1, 4)
            found = types.SimpleNamespace(
                pred_classes=Tensor(np.asarray(world.classes or [0] * len(boxes)), "cuda:0"),
                scores=Tensor(np.asarray(world.scores, np.float32), "cuda:0"),
                pred_boxes=types.SimpleNamespace(tensor=Tensor(boxes, "cuda:0")),
            )
            return {"instances": found}

    return DefaultPredictorLazy


class _ViTDetDataset:
    """Crops as the real one gives them: float64 for everything but the image; it prints, and divides by the width."""

    def __init__(self, cfg: Any, img_cv2: Any, boxes: Any) -> None:
        assert list(cfg.MODEL.BBOX_SHAPE) == [192, 256]
        assert len(boxes), "DataLoader: num_samples should be a positive integer"
        self.image, self.boxes = img_cv2, boxes
        self.center = (boxes[:, 2:4] + boxes[:, 0:2]) / 2.0
        self.scale = (boxes[:, 2:4] - boxes[:, 0:2]) / 200.0
        assert (self.scale > 0).all()

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: int) -> dict[str, Any]:
        sys.stdout.write(f"downsampling_factor={index}\n")
        side = float(max(self.scale[index] * 200 * np.array([256 / 192, 1])))
        return {
            "img": np.full((3, 256, 256), index, np.float32),
            "personid": index,
            "box_center": self.center[index].astype(np.float64),
            "box_size": np.float64(side),
            "img_size": 1.0 * np.array([self.image.shape[1], self.image.shape[0]]),
        }


def _make_body(world: World) -> type:
    class HMR2:
        smpl = types.SimpleNamespace(faces=np.arange(13776 * 3).reshape(13776, 3) % 6890)

        @classmethod
        def load_from_checkpoint(cls, path: str, **how: Any) -> Any:
            assert how["strict"] is False
            assert how["init_renderer"] is False, "a renderer needs a display"
            assert how["map_location"] == "cpu"
            world.checkpoints.append(path)
            return cls()

        def to(self, device: str) -> Any:
            assert device == "cuda:0"
            return self

        def eval(self) -> Any:
            return self

        def __call__(self, batch: dict[str, Tensor]) -> dict[str, Any]:
            image = batch["img"]
            assert (image.device, image.array.dtype, image.array.shape[1:]) == ("cuda:0", np.float32, (3, 256, 256))
            count = len(image.array)
            world.batches.append(count)
            world.fail()
            if count > world.most_at_once:
                raise world.torch.cuda.OutOfMemoryError("CUDA out of memory.")
            return _output(world, count)

    return HMR2


def _output(world: World, count: int) -> dict[str, Any]:
    def on_gpu(array: Any) -> Tensor:
        return Tensor(np.asarray(array, np.float32), "cuda:0")

    joints = np.zeros((44, 3)) if world.joints is None else world.joints
    return {
        "pred_cam": on_gpu(np.tile([0.9, 0.1, -0.2], (count, 1))),
        "pred_cam_t": on_gpu(np.zeros((count, 3))),
        "pred_keypoints_3d": on_gpu(np.tile(joints, (count, 1, 1))),
        "pred_keypoints_2d": on_gpu(np.tile(joints[:, :2] / 2, (count, 1, 1))),
        "pred_vertices": on_gpu(np.tile(np.linspace(-1, 1, 6890 * 3).reshape(6890, 3), (count, 1, 1))),
        "focal_length": on_gpu(np.full((count, 2), 5000.0)),
        "pred_smpl_params": {
            "global_orient": on_gpu(np.tile(np.eye(3), (count, 1, 1, 1))),
            "body_pose": on_gpu(np.tile(np.eye(3), (count, 23, 1, 1))),
            "betas": on_gpu(np.zeros((count, 10))),
        },
    }
