"""Where, when and by whom an image was built: a label that `share` adds."""

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from layerstack.engine.images import Layer
from layerstack.moment import local_time, read_time
from layerstack.process_life import user_name

# The digest of a base image's inputs. Images built on it inherit both labels.
INPUTS_LABEL = "layerstack.inputs"
ORIGIN_LABEL = "layerstack.origin"


@dataclass(frozen=True)
class Origin:
    """`inputs` is the digest of the labelled image, `built` a time in UTC as the engine prints it."""

    inputs: str
    built: str
    by: str
    cause: str = ""

    def to_label(self) -> str:
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        return f"from the registry, built on {local_time(read_time(self.built))} by {self.by}"


def here(inputs: str, built: str, cause: str) -> Origin:
    """The origin of an image that was built on this machine; `by` is the current user."""
    return Origin(inputs, built, f"{user_name()}@{socket.gethostname()}", cause)


def read_origin(labels: Mapping[str, str]) -> Origin | None:
    """The origin in an image's labels; None when it was built here, also when it inherited its base's label."""
    try:
        written = json.loads(labels[ORIGIN_LABEL])
        found = Origin(*(str(written[name]) for name in ("inputs", "built", "by", "cause")))
    except (KeyError, TypeError, ValueError):
        return None
    return found if found.inputs == labels.get(INPUTS_LABEL) else None


def with_origin(layer: Layer) -> Layer:
    """The layer with its origin, for bases only: services inherit the label of their base."""
    found = read_origin(layer.stored.labels) if layer.stored and layer.layer == "base" else None
    return replace(layer, origin=str(found)) if found else layer
