"""The packages that are brought along: `python -m gpu_trial.brought FOLDER --hmr2 CHECKOUT` collects them."""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

MOST_BYTES = 64 * 2**20
# What HMR2's model and its crops compute with, and layerstack's own few.
PACKAGES = (
    *("smplx==0.1.28", "pytorch-lightning==2.6.0", "torchmetrics==1.9.0", "lightning-utilities==0.15.3"),
    *(
        "einops==0.8.2",
        "yacs==0.1.8",
        "fsspec",
        "tqdm",
        "packaging",
        "opencv-python-headless==4.11.0.86",
    ),
    *("nvidia-ml-py", "docker", "filelock", "invoke", "rich", "markdown-it-py", "mdurl", "pygments", "PyYAML"),
    *("requests", "urllib3", "idna", "certifi", "charset-normalizer", "platformdirs"),
)
# Imported at the top of modules for training, drawing, videos and downloads, which this trial does none of.
IMPORT_ONLY = (
    *("pyrender", "trimesh", "torchvision", "hydra", "omegaconf", "webdataset", "braceexpand", "skimage", "av", "PIL"),
)


class _Anything(type):
    """A class whose attributes and calls are more of the same."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing


class _Nothing(metaclass=_Anything):
    """Stands for every name of a module that is only imported; it may be called as a decorator."""

    def __new__(cls, *arguments: Any, **_options: Any) -> Any:
        return arguments[0] if len(arguments) == 1 and callable(arguments[0]) else super().__new__(cls)


class ImportOnly(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of IMPORT_ONLY that this machine does not have."""

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Asked last, after every real finder."""
        return importlib.util.spec_from_loader(name, self) if name.partition(".")[0] in IMPORT_ONLY else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """A package without a path, in which every name is there."""
        module = ModuleType(spec.name)
        module.__path__ = []
        module.__getattr__ = _name  # type: ignore[method-assign]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing."""


def _name(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Nothing


def use(folder: Path | None, scratch: Path) -> None:
    """Unpack the wheels, and let this machine's own packages go first."""
    for wheel in sorted(folder.glob("*.whl")) if folder else ():
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(scratch)
    if folder and (folder / "hmr2").is_dir():
        shutil.copytree(folder / "hmr2", scratch / "hmr2", dirs_exist_ok=True)
    sys.path.append(str(scratch))
    sys.meta_path.append(ImportOnly())


def lend_timm() -> None:
    """The three functions that HMR2 takes of timm, where timm is not: it wants torchvision and Pillow for them."""
    import torch

    try:
        importlib.import_module("timm.models.layers")
    except ImportError:
        layers: Any = ModuleType("timm.models.layers")
        layers.to_2tuple = lambda size: size if isinstance(size, tuple) else (size, size)
        layers.trunc_normal_ = torch.nn.init.trunc_normal_
        # It drops paths while training only.
        layers.drop_path = lambda x, drop_prob=0.0, training=False: x
        for name in ("timm", "timm.models"):
            sys.modules[name] = ModuleType(name)
        sys.modules["timm.models.layers"] = layers


def collect(folder: Path, hmr2: Path, python: str) -> int:
    """Download the wheels and copy the package hmr2 of a checkout of 4D-Humans; the bytes of all."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options, "--python-version", python, *PACKAGES]
    subprocess.run(command, check=True)
    shutil.copytree(hmr2 / "hmr2", folder / "hmr2", dirs_exist_ok=True)
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main(words: Sequence[str] | None = None) -> None:
    """Collect, and refuse more than may be brought along."""
    parser = argparse.ArgumentParser(prog="python -m gpu_trial.brought")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hmr2", type=Path, required=True, help="a checkout of 4D-Humans at the pinned commit")
    parser.add_argument("--python", default=f"{sys.version_info[0]}.{sys.version_info[1]}", help="of the GPU machine")
    options = parser.parse_args(words)
    size_bytes = collect(options.folder, options.hmr2, options.python)
    sys.stdout.write(f"{size_bytes / 2**20:.1f} MiB in {options.folder}\n")
    if size_bytes > MOST_BYTES:
        sys.exit(f"more than {MOST_BYTES >> 20} MiB")


if __name__ == "__main__":
    main()
