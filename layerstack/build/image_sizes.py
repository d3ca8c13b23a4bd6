"""How large images were when they were last seen, for the time when they are gone."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from layerstack.engine.images import StoredImage
from layerstack.state_folder import STATE_FOLDER, state_folder, write_atomically

SIZES_FILE = "image-sizes.json"


def recall_sizes(root: Path) -> dict[str, int]:
    try:
        document = json.loads((root / STATE_FOLDER / SIZES_FILE).read_text())
        return {str(tag): int(size) for tag, size in document.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def remember_sizes(root: Path, stored: Mapping[str, StoredImage]) -> None:
    """Write down how large these images are (tag → image), for the time when they are gone."""
    sizes = {**recall_sizes(root), **{tag: image.size_bytes for tag, image in stored.items()}}
    if sizes != recall_sizes(root):
        with suppress(OSError):
            write_atomically(state_folder(root) / SIZES_FILE, json.dumps(sizes))
