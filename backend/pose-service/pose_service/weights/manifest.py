"""Every file of the GPU engine. Paths are those that 4D-Humans, PHALP and Detectron2 look at below $HOME.

The addresses were published by the authors of these projects; nobody of ours has fetched them (see docs/weights.md).
"""

from __future__ import annotations

from pose_service.weights.asset import Asset

USES = ("hmr2", "hmr2-light", "video")
FETCH = "invoke weights --fetch"
SMPL = "register at smplify.is.tue.mpg.de, download SMPL for Python, then `invoke weights --smpl FILE`"

HUMANS = ".cache/4DHumans"
PHALP = ".cache/phalp"
ZOO = "iopath/detectron2"
ZOO_URL = "https://dl.fbaipublicfiles.com/detectron2"
PHALP_URL = "https://www.cs.utexas.edu/~pavlakos/phalp"
HUMANS_ARCHIVE = "https://www.cs.utexas.edu/~pavlakos/4dhumans/hmr2_data.tar.gz"
# Reported by one source.
HUMANS_SHA256 = "0fdf9e66ec97503fe1b995f4942e021a6df748f4ccbc5574718742d975a6e19b"

BSD, CC = "BSD-3-Clause", "CC BY-SA 3.0"
WITH_SMPL = "MIT; depends on SMPL, so not for commercial use"
MPI = "SMPL: one registered user, non-commercial research, education or art; never passed on"


def _humans(name: str, path: str, min_bytes: int) -> Asset:
    uses = ("hmr2", "hmr2-light", "video")
    return Asset(
        name, f"{HUMANS}/{path}", uses, min_bytes, WITH_SMPL, FETCH, HUMANS_ARCHIVE, member=path, sha256=HUMANS_SHA256
    )


def _zoo(name: str, path: str, uses: tuple[str, ...], min_bytes: int) -> Asset:
    return Asset(name, f"{ZOO}/{path}", uses, min_bytes, CC, FETCH, f"{ZOO_URL}/{path}")


def _phalp(name: str, path: str, source: str, min_bytes: int = 100) -> Asset:
    return Asset(name, f"{PHALP}/{path}", ("video",), min_bytes, WITH_SMPL, FETCH, f"{PHALP_URL}/{source}")


def _smpl(name: str, path: str, uses: tuple[str, ...]) -> Asset:
    return Asset(name, path, uses, 10_000_000, MPI, SMPL)


ASSETS = (
    _humans(
        "hmr2-checkpoint", "logs/train/multiruns/hmr2/0/checkpoints/epoch=35-step=1000000.ckpt", min_bytes=2_000_000_000
    ),
    _humans("hmr2-config", "logs/train/multiruns/hmr2/0/model_config.yaml", min_bytes=100),
    _humans("smpl-mean-params", "data/smpl_mean_params.npz", min_bytes=100),
    _humans("smpl-joint-regressor", "data/SMPL_to_J19.pkl", min_bytes=100),
    _smpl("smpl-neutral", f"{HUMANS}/data/smpl/SMPL_NEUTRAL.pkl", ("hmr2", "hmr2-light", "video")),
    _zoo(
        "vitdet-h",
        "ViTDet/COCO/cascade_mask_rcnn_vitdet_h/f328730692/model_final_f05665.pkl",
        ("hmr2",),
        min_bytes=2_000_000_000,
    ),
    _zoo(
        "regnety",
        "new_baselines/mask_rcnn_regnety_4gf_dds_FPN_400ep_LSJ/42045954/model_final_ef3a80.pkl",
        ("hmr2-light", "video"),
        min_bytes=10_000_000,
    ),
    _zoo(
        "maskrcnn-x101",
        "COCO-InstanceSegmentation/mask_rcnn_X_101_32x8d_FPN_3x/139653917/model_final_2d9806.pkl",
        ("video",),
        min_bytes=400_000_000,
    ),
    Asset(
        "resnet50",
        "torch/hub/checkpoints/resnet50-0676ba61.pth",
        ("video",),
        90_000_000,
        BSD,
        FETCH,
        "https://download.pytorch.org/models/resnet50-0676ba61.pth",
    ),
    _smpl("smpl-neutral-phalp", f"{PHALP}/3D/models/smpl/SMPL_NEUTRAL.pkl", ("video",)),
    _phalp("phalp-hmar", "weights/hmar_v2_weights.pth", "weights/hmar_v2_weights.pth", min_bytes=160_000_000),
    _phalp("phalp-pose-predictor", "weights/pose_predictor.pth", "weights/pose_predictor_40006.ckpt", 130_000_000),
    _phalp("phalp-pose-config", "weights/pose_predictor.yaml", "weights/config_40006.yaml"),
    _phalp("phalp-head-faces", "3D/head_faces.npy", "3D/head_faces.npy"),
    _phalp("phalp-mean-std", "3D/mean_std.npy", "3D/mean_std.npy"),
    _phalp("phalp-mean-params", "3D/smpl_mean_params.npz", "3D/smpl_mean_params.npz"),
    _phalp("phalp-joint-regressor", "3D/SMPL_to_J19.pkl", "3D/SMPL_to_J19.pkl"),
    _phalp("phalp-texture", "3D/texture.npz", "3D/texture.npz"),
    _phalp("phalp-bmap", "3D/bmap_256.npy", "bmap_256.npy"),
    _phalp("phalp-fmap", "3D/fmap_256.npy", "fmap_256.npy"),
    _phalp("phalp-ava-labels", "ava/ava_labels.pkl", "ava/ava_labels.pkl"),
    _phalp("phalp-ava-classes", "ava/ava_class_mapping.pkl", "ava/ava_class_mappping.pkl"),
)


def assets_for(use: str) -> tuple[Asset, ...]:
    """What one of USES needs."""
    return tuple(asset for asset in ASSETS if use in asset.uses)
