"""Fail unless the engines' imports work in this image, for the user that runs it and without a GPU."""

import importlib

MODULES = (
    # Compiled against NumPy: a wrong one ends their import.
    "cv2",
    "pandas",
    "pycocotools.mask",
    "scipy.sparse",
    "skimage.transform",
    "sklearn.linear_model",
    "torch",
    "torchvision",
    "torchaudio",
    "detectron2.model_zoo",
    # Missing in detectron2's v0.6 tag.
    "detectron2.modeling.backbone.vit",
    "pytorch3d.ops",
    "neural_renderer",
    "chumpy",
    "smplx",
    "pyrender",
    "hmr2.models",
    "hmr2.datasets.vitdet_dataset",
    "phalp.configs.base",
    "phalp.trackers.PHALP",
    "mediapipe.python.solutions.pose",
)


def import_all() -> None:
    """Import every module; the traceback of the first failure ends the build."""
    for name in MODULES:
        importlib.import_module(name)


if __name__ == "__main__":
    import_all()
