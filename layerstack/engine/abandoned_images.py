"""Images that a task builds only to look at: who owns them stands in their tag and label, so that none stays."""

from collections.abc import Iterator

from layerstack.engine import images
from layerstack.owner import is_abandoned, own_mark

OWNER_LABEL = "layerstack.owner"
REPOSITORIES = "layerstack-*/*"


def throw_away_tag(purpose: str, image: str, ending: str = "") -> str:
    """A tag of this process: `layerstack-PURPOSE/IMAGE:MARK`, with `-ENDING` for more than one."""
    return f"layerstack-{purpose}/{image.lower()}:{own_mark()}{f'-{ending}' if ending else ''}"


def find_abandoned() -> tuple[str, ...]:
    """Tags and ids that processes left which are gone. Raises EngineError."""
    return tuple(dict.fromkeys((*_tags(), *_labelled())))


def remove_abandoned() -> None:
    """Remove them; an image that has another name, too, keeps it. Raises EngineError."""
    images.remove(find_abandoned())


def _tags() -> Iterator[str]:
    """By name alone: an image that is built to be compared with another one has the same labels."""
    for image in images.with_name(REPOSITORIES):
        yield from (tag for tag in image.tags if is_abandoned(tag))


def _labelled() -> Iterator[str]:
    """Those that lost their tag to a later build of the same process."""
    for image in images.with_label(OWNER_LABEL):
        if is_abandoned(image.labels.get(OWNER_LABEL, "")):
            yield from image.tags or (image.id,)
