"""Fail when the image holds weights, a licensed body model, or libraries of two CUDA versions.

Usage: check_files.py FOLDER
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

# Not part of the image.
OUTSIDE = {"/proc", "/sys", "/dev", "/opt/build-tools", "/opt/checks", "/var/cache/uv"}
WEIGHTS = re.compile(r"\.(ckpt|pth|pt|pkl|pickle|safetensors|npz)$", re.IGNORECASE)
# Test data of packages is smaller, every model larger.
WEIGHTS_BYTES = 2_000_000
LICENSED = re.compile(r"^(smpl_(neutral|male|female)|basicmodel_)[^/]*\.(pkl|npz)$", re.IGNORECASE)
CUDA_LIBRARY = re.compile(r"^lib(cudart|cudnn|cublas)\.so\.(\d+)")


def find_faults(folder: Path) -> list[str]:
    """What must not be in the image, one line each."""
    faults = []
    majors: dict[str, dict[str, str]] = {}
    for path in walk(folder):
        size_bytes = path.lstat().st_size
        if LICENSED.match(path.name):
            faults.append(f"{path}: the licence of this body model forbids copying it into an image")
        elif WEIGHTS.search(path.name) and size_bytes > WEIGHTS_BYTES:
            faults.append(f"{path}: {size_bytes} bytes of weights belong into the volume")
        library = CUDA_LIBRARY.match(path.name)
        if library:
            majors.setdefault(library[1], {}).setdefault(library[2], str(path))
    for name, found in sorted(majors.items()):
        if len(found) > 1:
            faults.append(f"lib{name} of several versions: {', '.join(found.values())}")
    return faults


def walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder that is part of the image."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if str(Path(parent) / name) not in OUTSIDE]
        for name in names:
            yield Path(parent) / name


if __name__ == "__main__":
    found = find_faults(Path(sys.argv[1]))
    sys.exit("\n".join(found) if found else 0)
