"""Fail unless PyTorch, NumPy and the compiled extensions fit each other and the CUDA of this image. Needs no GPU."""

import numpy as np
import pytorch3d._C
import torch
from detectron2 import _C as detectron2_extension

CUDA_VERSION = "12.1"
# chumpy and hmr2 use names that 1.24 dropped.
NUMPY_VERSION = "1.23."


def check_extensions() -> None:
    """Raise SystemExit with the first thing that is wrong."""
    detectron2_cuda = detectron2_extension.get_cuda_version()
    checks = {
        f"PyTorch is built for CUDA {torch.version.cuda}": torch.version.cuda == CUDA_VERSION,
        f"NumPy is {np.__version__}": np.__version__.startswith(NUMPY_VERSION),
        "PyTorch was compiled for another NumPy": torch.from_numpy(np.ones(2)).sum().item() == 2.0,
        f"Detectron2 is built for {detectron2_cuda}": f"CUDA {CUDA_VERSION}" in detectron2_cuda,
        "Detectron2 has no CUDA operators": detectron2_extension.has_cuda(),
        "pytorch3d has no k-nearest-neighbours operator": hasattr(pytorch3d._C, "knn_points_idx"),
    }
    wrong = [text for text, is_right in checks.items() if not is_right]
    if wrong:
        raise SystemExit("; ".join(wrong))


if __name__ == "__main__":
    check_extensions()
