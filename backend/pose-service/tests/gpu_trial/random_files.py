"""Files of the shapes of HMR2's checkpoint, configuration and body model, with random content."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np

VERTICES, FACES, JOINTS, EXTRA_JOINTS = 6890, 13776, 24, 19
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
# The first two columns of the unit matrix, as HMR2's head reads a rotation.
NO_ROTATION = (1, 0, 0, 1, 0, 0)
# As in the published model_config.yaml.
DECODER = {
    **{"depth": 6, "heads": 8, "mlp_dim": 1024, "dim_head": 64},
    **{"dropout": 0.0, "emb_dropout": 0.0, "norm": "layer", "context_dim": 1280},
}


def write_files(folder: Path) -> dict[str, Path]:
    """What Hmr2Models reads, by asset; the checkpoint is of the real size, 2.7 GB."""
    random = np.random.default_rng(0)
    _write_body_model(folder, random)
    np.savez(folder / "mean.npz", pose=np.tile(NO_ROTATION, JOINTS), shape=np.zeros(10), cam=np.array([0.9, 0, 0]))
    (folder / "extra.pkl").write_bytes(pickle.dumps(_regressor(random, EXTRA_JOINTS)))
    config = folder / "model_config.yaml"
    # JSON is YAML.
    config.write_text(json.dumps(_config(folder)))
    return {"hmr2-config": config, "hmr2-checkpoint": _write_checkpoint(folder, config), "vitdet-h": folder / "none"}


def _config(folder: Path) -> dict[str, Any]:
    head = {"TYPE": "transformer_decoder", "IN_CHANNELS": 2048, "TRANSFORMER_DECODER": DECODER}
    model = {
        "IMAGE_SIZE": 256,
        "IMAGE_MEAN": [0.485, 0.456, 0.406],
        "IMAGE_STD": [0.229, 0.224, 0.225],
        "BACKBONE": {"TYPE": "vit"},
        "SMPL_HEAD": head,
    }
    body = {
        "MODEL_PATH": str(folder),
        "GENDER": "neutral",
        "NUM_BODY_JOINTS": JOINTS - 1,
        "JOINT_REGRESSOR_EXTRA": str(folder / "extra.pkl"),
        "MEAN_PARAMS": str(folder / "mean.npz"),
    }
    return {"MODEL": model, "SMPL": body, "LOSS_WEIGHTS": {"ADVERSARIAL": 0.0005}, "EXTRA": {"FOCAL_LENGTH": 5000}}


def _write_body_model(folder: Path, random: np.random.Generator) -> None:
    parents = np.array([PARENTS, range(JOINTS)], np.int64)
    body = {
        "f": random.integers(0, VERTICES, (FACES, 3)).astype(np.uint32),
        "v_template": random.normal(0, 0.3, (VERTICES, 3)),
        "shapedirs": random.normal(0, 0.01, (VERTICES, 3, 10)),
        "posedirs": random.normal(0, 0.001, (VERTICES, 3, (JOINTS - 1) * 9)),
        "J_regressor": _regressor(random, JOINTS),
        "weights": _regressor(random, VERTICES, JOINTS),
        "kintree_table": parents,
    }
    (folder / "SMPL_NEUTRAL.pkl").write_bytes(pickle.dumps(body))


def _regressor(random: np.random.Generator, rows: int, columns: int = VERTICES) -> Any:
    """Every row sums to one."""
    weights = random.random((rows, columns))
    return weights / weights.sum(axis=1, keepdims=True)


def _write_checkpoint(folder: Path, config: Path) -> Path:
    import torch
    from hmr2.configs import get_config
    from hmr2.models import HMR2

    torch.manual_seed(0)
    model = HMR2(get_config(str(config), update_cachedir=True), init_renderer=False)
    file = folder / "random.ckpt"
    content = {"state_dict": model.state_dict(), "pytorch-lightning_version": "2.6.0", "epoch": 0, "global_step": 0}
    torch.save(content, file)
    return file
