"""Temporary images of a task. Tag and label name the owning process, so that leftovers of a killed one are removed."""

from collections.abc import Iterator

from layerstack.engine import images
from layerstack.owner import is_abandoned, own_mark

OWNER_LABEL = "layerstack.owner"
REPOSITORIES = "layerstack-*/*"


def throw_away_tag(purpose: str, image: str, ending: str = "") -> str:
    """A tag of this process: `layerstack-PURPOSE/IMAGE:MARK`, with `-ENDING` for more than one."""
    return f"layerstack-{purpose}/{image.lower()}:{own_mark()}{f'-{ending}' if ending else ''}"


def find_abandoned() -> tuple[str, ...]:
    """Tags and ids left behind by processes that have ended. Raises EngineError."""
    return tuple(dict.fromkeys((*_tags(), *_labelled())))


def remove_abandoned() -> None:
    """Remove them; other names of the same image stay. Raises EngineError."""
    images.remove(find_abandoned())


def _tags() -> Iterator[str]:
    # By name: an image built for a comparison must not get a label of its own, which would make it differ.
    for image in images.with_name(REPOSITORIES):
        yield from (tag for tag in image.tags if is_abandoned(tag))


def _labelled() -> Iterator[str]:
    # A later build of the same process took the tag away.
    for image in images.with_label(OWNER_LABEL):
        if is_abandoned(image.labels.get(OWNER_LABEL, "")):
            # An image that has lost its tags can only be named by its id.
            yield from image.tags or (image.id,)
