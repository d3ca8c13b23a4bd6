"""Build caches outside the builder, for CI: values of `--cache-from` and `--cache-to`."""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerstack.build.elsewhere import inspect_builder, read_fields
from layerstack.engine import engine
from layerstack.errors import EngineError, UsageError

# Stands for the image's name in a value: every image needs a place of its own.
IMAGE = "{image}"
INLINE = "inline"
# The engine's own image stores; with containerd's the engine's builder exports any cache (buildx, driver features).
STORES_WITHOUT_EXPORT = ("overlay2", "fuse-overlayfs", "btrfs", "zfs", "vfs")


@dataclass(frozen=True)
class CachePlaces:
    """Values as Buildx takes them, `type=registry,ref=HOST/PATH/cache:{image}`."""

    sources: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    def sources_of(self, image: str) -> list[str]:
        return [value.replace(IMAGE, image) for value in self.sources]

    def targets_of(self, image: str) -> list[str]:
        return [value.replace(IMAGE, image) for value in self.targets]

    def folders(self, root: Path) -> list[Path]:
        """Folders that hold caches, up to the part that names an image: Buildx asks before it uses them."""
        named = (_parts(value) for value in (*self.sources, *self.targets))
        paths = (parts.get("src") or parts.get("dest") for parts in named if parts.get("type") == "local")
        return [Path(os.path.normpath(root / path.partition(IMAGE)[0])) for path in paths if path]


NO_PLACES = CachePlaces()


def require_usable(places: CachePlaces, images: Sequence[str], environment: Mapping[str, str]) -> None:
    """Raises UsageError for a place that images would take from each other, EngineError where none can be written."""
    # An inline cache is stored in the image itself: every builder can write it, and no two images share it.
    kept_elsewhere = [value for value in places.targets if _parts(value).get("type") != INLINE]
    for value in kept_elsewhere:
        if IMAGE not in value and len(images) > 1:
            msg = f"--cache-to {value}: {len(images)} images would overwrite each other's cache."
            raise UsageError(msg, f"Name the image in it: {IMAGE} stands for its name.")
    if kept_elsewhere and (why := _why_not(environment)):
        raise EngineError(
            f"--cache-to {kept_elsewhere[0]}: {why}.",
            "`--cache-to type=inline` works here; or use containerd's image store, or BUILDX_BUILDER=NAME.",
        )


def _why_not(environment: Mapping[str, str]) -> str:
    """Why the current builder does not export a cache; "" when it does."""
    driver = read_fields(inspect_builder(environment).stdout).get("Driver", "")
    return why_no_export(driver, engine.read_facts().storage_driver)


def why_no_export(driver: str, store: str) -> str:
    """Why a builder of this driver exports no cache, where the engine has this image store; empty when it does."""
    if driver == "docker" and store in STORES_WITHOUT_EXPORT:
        return f"the engine's own builder cannot export a cache with its image store {store}"
    return ""


def _parts(value: str) -> dict[str, str]:
    """The fields of a value. Raises UsageError for an invalid one, and for one without a type."""
    # A reference alone is a cache in a registry.
    if value and "=" not in value:
        return {"type": "registry", "ref": value}
    # Buildx parses the value as CSV, so a quoted field may contain a comma.
    fields: Iterable[str] = next(csv.reader([value]), [])
    parts = {name.strip(): text.strip() for name, _, text in (field.partition("=") for field in fields)}
    if not parts.get("type"):
        raise UsageError(
            f"`{value}` does not say where a cache is.", "As Buildx takes it: type=registry,ref=… and so on."
        )
    return parts
