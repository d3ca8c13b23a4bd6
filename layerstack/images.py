"""Images as the engine holds them: identity, size, age, labels."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from layerstack import engine


@dataclass(frozen=True)
class StoredImage:
    """One image of the engine. `size_bytes` is the whole image, layers shared with others included."""

    id: str
    tags: tuple[str, ...]
    size_bytes: int
    created: str
    labels: dict[str, str]
    layers: tuple[str, ...]


def find(reference: str) -> StoredImage | None:
    """The image behind a tag or id; None when the engine does not have it."""
    from docker.errors import ImageNotFound

    try:
        return _stored(engine.client().images.get(reference).attrs)
    except ImageNotFound:
        return None


def find_all(references: Iterable[str]) -> dict[str, StoredImage]:
    """Those of the references that are there."""
    found = ((reference, find(reference)) for reference in references)
    return {reference: image for reference, image in found if image is not None}


def with_label(label: str) -> list[StoredImage]:
    """All images, tagged or not, that carry a label (`key` or `key=value`)."""
    return [_stored(image.attrs) for image in engine.client().images.list(filters={"label": label}, all=False)]


def remove(references: Iterable[str]) -> None:
    """Remove tags or ids; what is already gone or still in use is passed over."""
    from docker.errors import APIError

    for reference in references:
        try:
            engine.client().images.remove(reference, force=False, noprune=False)
        except APIError:
            continue


def is_built_on(child: StoredImage, parent: StoredImage) -> bool:
    """Whether the child's layers begin with all of the parent's."""
    return child.layers[: len(parent.layers)] == parent.layers


def _stored(attributes: dict[str, Any]) -> StoredImage:
    return StoredImage(
        id=attributes["Id"],
        tags=tuple(attributes.get("RepoTags") or ()),
        size_bytes=int(attributes.get("Size") or 0),
        created=str(attributes.get("Created") or ""),
        labels=(attributes.get("Config") or {}).get("Labels") or attributes.get("Labels") or {},
        layers=tuple((attributes.get("RootFS") or {}).get("Layers") or ()),
    )
