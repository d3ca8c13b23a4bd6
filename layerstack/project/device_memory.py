"""The device of the last build, start or setup: tasks that only read do not decide again."""

import os
from pathlib import Path

from layerstack.project import choices
from layerstack.project.compose_files import Device
from layerstack.state_folder import read_text, state_folder, write_atomically

FILE = "device"


def remembered_device(root: Path) -> Device:
    """DEVICE in the environment, else the last decision, else what `setup` wrote into `.env`, else cpu."""
    known = (os.environ.get("DEVICE"), (read_text(state_folder(root) / FILE) or "").strip())
    wanted = next((name for name in known if name in ("gpu", "cpu")), None) or choices.read(root).get("DEVICE")
    return "gpu" if wanted == "gpu" else "cpu"


def remember_device(root: Path, device: Device) -> None:
    """Keep a decision, if the state folder is writable."""
    path = state_folder(root) / FILE
    if (read_text(path) or "").strip() != device:
        write_atomically(path, device + "\n")
