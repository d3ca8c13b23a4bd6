"""The state of images that were built here: how, from what, and which cache records hold their steps.

Records are keyed by image id, so that a second clone or worktree knows them; each project remembers which image its
tags named last.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from layerstack.build.inputs import MANIFEST_VERSION, Manifest
from layerstack.build.record import ImageRecord
from layerstack.dockerfile.file_digests import FileDigests
from layerstack.state_folder import (
    keep_newest,
    read_json,
    set_aside,
    shared_folder,
    state_folder,
    update_json,
    write_json,
)

# A record of another version of this program is not damaged: it is passed over and written anew.
STATE_VERSION = f"3.{MANIFEST_VERSION}"
MOST_IMAGES = 500
TAGS_FILE = "tags.json"
DIGESTS_FILE = "files.json"


class ExternalImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image from outside that another one was built on: enough to go on when it is on this engine no more."""

    layers: tuple[str, ...]
    config: Mapping[str, Any]


class ImageState(msgspec.Struct, frozen=True, kw_only=True):
    """The build that made an image. `parent_layers` identifies the layers of each project image it was built on.

    `cache_records` maps the place of a step (`Dockerfile:7`) to the ids of the cache records that may hold its result;
    once all of them are gone BuildKit has nothing to say about that step. `is_cache_gone` says that this was seen:
    what is built on this image uses the image itself, not its steps, until it is built again, and `passed_over` are the
    records that a build left which was ended for that reason. `is_forced` says that it
    was built without the cache, and `on_images` names the parents whose image, and not steps, it was built on.
    """

    tag: str
    image_id: str
    manifest: Manifest
    record: ImageRecord
    version: str = STATE_VERSION
    built_at: float = 0.0
    # msgspec gives each record its own copy of an empty mapping.
    parent_layers: Mapping[str, str] = {}
    cache_records: Mapping[str, tuple[str, ...]] = {}
    externals: Mapping[str, ExternalImage] = {}
    on_images: tuple[str, ...] = ()
    is_forced: bool = False
    is_cache_gone: bool = False
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True)
class StateStore:
    """Reads and writes states, for one project; a file that cannot be read is set aside, never overwritten."""

    root: Path

    def of_image(self, image_id: str) -> ImageState | None:
        """How an image was built; None when it was not built by layerstack here."""
        path = _path(image_id)
        data = read_json(path)
        if data.get("version") != STATE_VERSION:
            return None
        try:
            return msgspec.convert(data, ImageState)
        except msgspec.ValidationError as error:
            set_aside(path, str(error))
            return None

    def last_of(self, tag: str) -> ImageState | None:
        """The last build of a tag in this project, whatever the tag names by now."""
        image_id = read_json(self._tags).get(tag)
        return self.of_image(image_id) if isinstance(image_id, str) else None

    def write(self, state: ImageState) -> None:
        known = msgspec.structs.replace(state, version=STATE_VERSION, built_at=state.built_at or time.time())
        path = _path(state.image_id)
        # Not encoded by msgspec: a link may lead to a name that is not UTF-8.
        if write_json(path, msgspec.to_builtins(known)):
            keep_newest(path.parent, MOST_IMAGES)
        if read_json(self._tags).get(state.tag) != state.image_id:
            update_json(self._tags, lambda tags: {**tags, state.tag: state.image_id})

    def read_digests(self) -> FileDigests:
        """Known digests of context files; an empty set when the file is damaged."""
        return FileDigests(read_json(state_folder(self.root) / DIGESTS_FILE))

    def write_digests(self, digests: FileDigests) -> None:
        if digests.is_changed:
            write_json(state_folder(self.root) / DIGESTS_FILE, digests.kept())

    @property
    def _tags(self) -> Path:
        return state_folder(self.root) / TAGS_FILE


def _path(image_id: str) -> Path:
    return shared_folder() / "images" / f"{re.sub(r'[^A-Za-z0-9]+', '_', image_id.removeprefix('sha256:'))}.json"
