"""Contexts by the names under which a Dockerfile asks for them."""

from layerstack.dockerfile import references
from layerstack.dockerfile.image import Image

# Names that never stand for a context.
RESERVED = ("", "scratch", "context")


def find_context(image: Image, name: str, platform: str = "") -> str | None:
    """What a named context stands for: `target:…`, `docker-image://…`, an address or a folder."""
    key = find_context_name(image, name, platform)
    return None if key is None else image.contexts[key]


def find_context_name(image: Image, name: str, platform: str = "") -> str | None:
    """The key of the context that BuildKit uses for a name; one for the platform goes before one for all."""
    if not image.contexts or name.lower() in RESERVED:
        return None
    familiar = references.familiar(name)
    target = references.target_platform(image.definition, platform)
    keys = (f"{familiar}::{target}", familiar)
    return next((key for key in keys if key in image.contexts), None)
