"""The disk space a build will need: the missing images with their last or declared size."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from layerstack.build.image_sizes import recall_sizes, remember_sizes
from layerstack.cache.gc_policy import parse_printed_size
from layerstack.engine import images
from layerstack.engine.images import StoredImage
from layerstack.project.project import Project


@dataclass(frozen=True)
class DiskNeed:
    """Size of the missing images; `unknown` are those without a known size."""

    bytes: int = 0
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def read_need(project: Project) -> DiskNeed:
    """Compare with the stored images, whose sizes are remembered. Raises EngineError."""
    tags = _tags(project)
    stored = images.find_all(tags)
    # What an image has really taken counts more than what is declared.
    known = {**declared_sizes(project), **recall_sizes(project.root)}
    remember_sizes(project.root, stored)
    missing = tuple(tag for tag in tags if tag not in stored)
    unknown = tuple(tag for tag in missing if tag not in known)
    return DiskNeed(sum(_own_bytes(project, tag, known, stored) for tag in missing), missing, unknown)


def declared_sizes(project: Project) -> dict[str, int]:
    """`x-layerstack: {doctor: {sizes: {IMAGE: 12GB}}}` by tag; invalid sizes are skipped."""
    found: dict[str, int] = {}
    for name, size in project.settings.doctor.sizes.items():
        image = project.images.get(name)
        with suppress(ValueError):
            found[image.tag if image else name] = parse_printed_size(size)
    return found


def _tags(project: Project) -> tuple[str, ...]:
    built = [image.tag for image in project.images.values()]
    pulled = [one.image for one in project.services.values() if one.image and not one.is_built]
    return tuple(dict.fromkeys([*built, *pulled]))


def _own_bytes(project: Project, tag: str, known: Mapping[str, int], stored: Mapping[str, StoredImage]) -> int:
    """Its size without that of its parent, which is stored already or counted separately."""
    image = next((one for one in project.images.values() if one.tag == tag), None)
    parents = [project.image(name).tag for name in image.parents] if image else []
    sizes = {**known, **{name: one.size_bytes for name, one in stored.items()}}
    below = max((sizes.get(parent, 0) for parent in parents), default=0)
    return max(0, known.get(tag, 0) - below)
