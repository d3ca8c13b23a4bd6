"""What is known of images that were built here: how, from what, and which cache records hold their steps.

Records are keyed by image id, so that a second clone or worktree knows them; each project remembers which image its
tags named last.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from layerstack.build.inputs import MANIFEST_VERSION, Manifest
from layerstack.build.record import ImageRecord
from layerstack.dockerfile.file_digests import FileDigests
from layerstack.state_folder import state_folder, write_atomically

# A record of another version of this program is not damaged: it is passed over and written anew.
STATE_VERSION = f"3.{MANIFEST_VERSION}"
MOST_IMAGES = 500
TAGS_FILE = "tags.json"


class ImageState(msgspec.Struct, frozen=True, kw_only=True):
    """The build that made an image. `parent_layers` identifies the layers of each project image it was built on.

    `cache_records` maps the place of a step (`Dockerfile:7`) to the ids of the cache records that may hold its result;
    once all of them are gone BuildKit has nothing to say about that step. `is_cache_gone` says that this was seen:
    what is built on this image uses the image itself, not its steps, until it is built again.
    """

    tag: str
    image_id: str
    manifest: Manifest
    record: ImageRecord
    version: str = STATE_VERSION
    built_at: float = 0.0
    parent_layers: Mapping[str, str] = {}
    cache_records: Mapping[str, tuple[str, ...]] = {}
    is_cache_gone: bool = False


@dataclass
class StateStore:
    """Reads and writes states of one project; a file that cannot be read is set aside, never overwritten."""

    root: Path
    warn: Callable[[str], None] = field(default=lambda text: None)

    def of_image(self, image_id: str) -> ImageState | None:
        """How an image was built; None when it was not built by layerstack here."""
        path = self._path(image_id)
        data = self._load(path)
        if data is None or data.get("version") != STATE_VERSION:
            return None
        try:
            return msgspec.convert(data, ImageState)
        except msgspec.ValidationError as error:
            self._set_aside(path, str(error))
            return None

    def last_of(self, tag: str) -> ImageState | None:
        """The last build of a tag in this project, whatever the tag names by now."""
        image_id = (self._load(state_folder(self.root) / TAGS_FILE) or {}).get(tag)
        return self.of_image(image_id) if isinstance(image_id, str) else None

    def write(self, state: ImageState) -> None:
        known = msgspec.structs.replace(state, version=STATE_VERSION, built_at=state.built_at or time.time())
        path = self._path(state.image_id)
        path.parent.mkdir(exist_ok=True)
        # Not with msgspec: a link may lead to a name that is not UTF-8.
        write_atomically(path, json.dumps(msgspec.to_builtins(known)))
        _forget_oldest(path.parent)
        tags = self._load(state_folder(self.root) / TAGS_FILE) or {}
        if tags.get(state.tag) != state.image_id:
            write_atomically(state_folder(self.root) / TAGS_FILE, json.dumps({**tags, state.tag: state.image_id}))

    def read_digests(self) -> FileDigests:
        """Known digests of context files; an empty set when the file is damaged."""
        return FileDigests(self._load(state_folder(self.root) / "files.json") or {})

    def write_digests(self, digests: FileDigests) -> None:
        if digests.is_changed:
            write_atomically(state_folder(self.root) / "files.json", json.dumps(digests.kept()))

    def _path(self, image_id: str) -> Path:
        name = re.sub(r"[^A-Za-z0-9]+", "_", image_id.removeprefix("sha256:"))
        return state_folder(self.root) / "images" / f"{name}.json"

    def _load(self, path: Path) -> dict[str, Any] | None:
        try:
            data = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self._set_aside(path, str(error))
            return None
        if not isinstance(data, dict):
            self._set_aside(path, "not a JSON object")
            return None
        return data

    def _set_aside(self, path: Path, reason: str) -> None:
        kept = path.with_name(f"{path.name}.damaged-{int(time.time())}")
        try:
            path.replace(kept)
        except OSError:
            return
        self.warn(f"{path} cannot be read ({reason}); it is kept as {kept.name}, and causes start anew")


def _forget_oldest(folder: Path) -> None:
    """Keep the records of the newest images only."""
    records = list(folder.glob("*.json"))
    if len(records) > MOST_IMAGES:
        for path in sorted(records, key=lambda one: one.stat().st_mtime)[: MOST_IMAGES // 10]:
            path.unlink(missing_ok=True)
