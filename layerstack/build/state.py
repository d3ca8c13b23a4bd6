"""What the last build of each image left behind, in the state folder."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerstack.build import inputs
from layerstack.build.inputs import Manifest
from layerstack.dockerfile.file_digests import FileDigests
from layerstack.state_folder import read_text, state_folder, write_atomically

# A record of another version of this program is not damaged: it is passed over and written anew.
STATE_VERSION = f"2.{inputs.MANIFEST_VERSION}"


@dataclass(frozen=True)
class ImageState:
    """The last successful build of one tag. `steps` are those of its last report, as JSON with their causes.

    `image_id` is empty when something else had built the tag by the end. `parent_layers` identifies the layers of each
    image of the project that this one was built on. `is_cache_evicted` says that BuildKit's cache does not lead to this
    image: services are then built on the image itself.
    """

    tag: str
    manifest: Manifest
    image_id: str
    steps: tuple[Mapping[str, Any], ...] = ()
    seconds: float = 0.0
    built_at: float = 0.0
    cause: str = ""
    is_cache_evicted: bool = False
    parent_layers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class StateStore:
    """Reads and writes states of one project; a file that cannot be read is set aside, never overwritten."""

    root: Path
    warn: Callable[[str], None] = field(default=lambda text: None)

    def read(self, tag: str) -> ImageState | None:
        """The last state of a tag; None before the first build or when its file is damaged."""
        path = self._path(tag)
        data = self._load(path)
        if data is None or data.get("version") != STATE_VERSION:
            return None
        try:
            manifest = inputs.from_json(data["manifest"])
            return ImageState(
                tag=tag,
                manifest=manifest,
                image_id=str(data["image_id"]),
                steps=tuple(data["steps"]),
                seconds=float(data["seconds"]),
                built_at=float(data["built_at"]),
                cause=str(data["cause"]),
                is_cache_evicted=bool(data["is_cache_evicted"]),
                parent_layers=dict(data["parent_layers"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self._set_aside(path, f"{type(error).__name__}: {error}")
            return None

    def write(self, state: ImageState) -> None:
        document = {
            "version": STATE_VERSION,
            "manifest": state.manifest.to_json(),
            "image_id": state.image_id,
            "steps": list(state.steps),
            "seconds": round(state.seconds, 3),
            "built_at": state.built_at or time.time(),
            "cause": state.cause,
            "is_cache_evicted": state.is_cache_evicted,
            "parent_layers": dict(state.parent_layers),
        }
        path = self._path(state.tag)
        write_atomically(path, json.dumps(document))

    def read_digests(self) -> FileDigests:
        """Known digests of context files; an empty set when the file is damaged."""
        data = self._load(state_folder(self.root) / "files.json")
        return FileDigests(data or {})

    def write_digests(self, digests: FileDigests) -> None:
        if digests.is_changed:
            write_atomically(state_folder(self.root) / "files.json", json.dumps(digests.kept()))

    def _path(self, tag: str) -> Path:
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", tag)
        return state_folder(self.root) / "images" / f"{name}.json"

    def _load(self, path: Path) -> dict[str, Any] | None:
        text = read_text(path)
        if text is None:
            return None
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
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
