"""Which source files of this package a process runs."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGE = "pose_service"


def loaded_files() -> tuple[str, ...]:
    """The files of the modules that this process has imported."""
    modules = [module for name, module in sorted(sys.modules.items()) if name.partition(".")[0] == PACKAGE]
    return tuple(file for file in (getattr(module, "__file__", None) for module in modules) if file)


def package_files() -> tuple[str, ...]:
    """Every source file of the package."""
    return tuple(str(file) for file in sorted(Path(__file__).parent.rglob("*.py")))
