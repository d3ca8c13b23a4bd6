"""The last known sizes of images, for when the images are gone."""

from collections.abc import Mapping
from pathlib import Path

from layerstack.engine.images import StoredImage
from layerstack.state_folder import read_json, state_folder, update_json

SIZES_FILE = "image-sizes.json"


def recall_sizes(root: Path) -> dict[str, int]:
    try:
        return {tag: int(size) for tag, size in read_json(state_folder(root) / SIZES_FILE).items()}
    except (ValueError, TypeError, OverflowError):
        # OverflowError: Python's JSON accepts `Infinity`.
        return {}


def remember_sizes(root: Path, stored: Mapping[str, StoredImage]) -> None:
    """Write down how large these images are (tag → image), for the time when they are gone."""
    sizes = {tag: image.size_bytes for tag, image in stored.items()}
    if not sizes.items() <= recall_sizes(root).items():
        update_json(state_folder(root) / SIZES_FILE, lambda known: {**known, **sizes})
