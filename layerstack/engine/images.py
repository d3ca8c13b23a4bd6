"""Images as the engine holds them: identity, size, age, labels."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from layerstack.engine import engine, local, texts
from layerstack.engine.client import EngineClient
from layerstack.errors import EngineError, NotInEngine, RefusedByEngine, UsageError
from layerstack.project.project import Project
from layerstack.project.system_references import system_references
from layerstack.wait import ask_all

# As github.com/distribution/reference has it: a name in lower case, after a host with a port perhaps, tag, digest.
_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:[\w.-]+(?::\d+)?/)?{_NAME}(?:/{_NAME})*(?::\w[\w.-]{{0,127}})?(?:@[a-z0-9]+:[a-f0-9]{{32,}})?"
)
# The keys that a child image inherits. Others, such as Hostname and Image, differ between image stores.
CONTENT_OF_CONFIG = {"Env", "Cmd", "Entrypoint", "User", "WorkingDir", "Volumes", "ExposedPorts", "Labels", "Shell"}
CONTENT_OF_CONFIG |= {"StopSignal", "Healthcheck", "OnBuild"}


@dataclass(frozen=True)
class StoredImage:
    """One image of the engine. `size_bytes` is the whole image, layers shared with others included."""

    id: str
    tags: tuple[str, ...]
    size_bytes: int
    created: str
    labels: dict[str, str]
    layers: tuple[str, ...]
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Any]:
        """The part of its configuration that defines its behaviour."""
        return {key: value for key, value in self.config.items() if value and key in CONTENT_OF_CONFIG}

    @property
    def identity(self) -> str:
        """Equal for equal images on every store: the id is a digest of the config on one, of a manifest on another."""
        text = json.dumps([self.layers, self.content], sort_keys=True)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Layer:
    """One image of the stack: `layer` is system, base or service; `stored` is None when it is not there.

    `origin` says where it comes from, "" when that is not known.
    """

    layer: str
    tag: str
    stored: StoredImage | None
    built_on: str = ""
    origin: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "image": self.tag,
            "layer": self.layer,
            "built_on": self.built_on or None,
            "id": self.stored.id if self.stored else None,
            "size_bytes": self.stored.size_bytes if self.stored else None,
            "created": self.stored.created if self.stored else None,
            "origin": self.origin or None,
        }


def read_layers(project: Project) -> list[Layer]:
    """Every image that the project builds or runs, lowest layer first, with its parent."""
    named = dict.fromkeys(system_references(project), "system")
    named |= {image.tag: "base" for image in project.base_images}
    named |= {image.tag: "service" for image in project.service_images}
    layers = [Layer(layer, tag, find(tag)) for tag, layer in named.items()]
    return [replace(layer, built_on=_nearest_parent(layer, layers)) for layer in layers]


def _nearest_parent(layer: Layer, layers: Iterable[Layer]) -> str:
    if layer.stored is None:
        return ""
    own = layer.stored
    parents = [
        other
        for other in layers
        # An image without layers would be below every other one.
        if other.stored and other.stored.id != own.id and other.stored.layers and is_built_on(own, other.stored)
    ]
    nearest = max(parents, key=lambda other: len(other.stored.layers) if other.stored else 0, default=None)
    return nearest.tag if nearest else ""


def find(reference: str) -> StoredImage | None:
    """The image behind a tag or id; None when the engine does not have it."""
    return find_all((reference,)).get(reference)


def is_stored(client: EngineClient, reference: str) -> bool:
    """Whether the engine has it. Raises EngineError."""
    answers = local.ask(_address(reference))
    return bool(answers[0] if answers is not None else inspect(client, reference))


def find_all(references: Iterable[str]) -> dict[str, StoredImage]:
    """The references that exist. Raises EngineError; UsageError for what cannot be the name of an image."""
    wanted = [name for name in dict.fromkeys(references) if name]
    if not wanted:
        return {}
    # Over the socket first: a task that only reads images then loads no SDK.
    answers = local.ask(*map(_address, wanted))
    if answers is None:
        client = engine.client()
        # Side by side: each is a round trip to another machine.
        answers = ask_all(lambda name: inspect(client, name), wanted)
    return {name: _stored(answer) for name, answer in zip(wanted, answers, strict=True) if answer}


def _address(reference: str) -> str:
    return f"/images/{quote(reference, safe=':/@')}/json"


def inspect(client: EngineClient, reference: str) -> dict[str, Any] | None:
    """As the engine describes it; None when it does not have it. Raises EngineError, UsageError."""
    try:
        found: dict[str, Any] = client.api.inspect_image(reference)
    except NotInEngine:
        return None
    except RefusedByEngine as refusal:
        if not texts.says(str(refusal.args[0]), *texts.NO_NAME):
            raise
        message = f"`{reference}` cannot be the name of an image: {refusal.args[0]}"
        raise UsageError(message, "Correct the `image:`, `tags:` or FROM that has it.") from refusal
    return found


def find_valid(references: Iterable[str]) -> dict[str, StoredImage]:
    """As `find_all`, for names read from a Dockerfile: invalid references are skipped."""
    return find_all(reference for reference in references if _REFERENCE.fullmatch(reference))


def with_label(label: str) -> list[StoredImage]:
    """All images, tagged or not, that carry a label (`key` or `key=value`)."""
    return [_stored(image.attrs) for image in engine.client().images.list(filters={"label": label}, all=False)]


def with_name(pattern: str) -> list[StoredImage]:
    """All images with a tag that a pattern such as `shop/*` covers."""
    return [_stored(image.attrs) for image in engine.client().images.list(filters={"reference": pattern})]


def remove(references: Iterable[str]) -> None:
    """Remove tags or ids; missing images and images in use are skipped."""
    for reference in references:
        try:
            engine.client().images.remove(reference, force=False, noprune=False)
        except EngineError:
            continue


def is_built_on(child: StoredImage, parent: StoredImage) -> bool:
    """Whether the child's layers begin with all of the parent's."""
    return child.layers[: len(parent.layers)] == parent.layers


def _stored(attributes: dict[str, Any]) -> StoredImage:
    return StoredImage(
        id=attributes["Id"],
        tags=tuple(attributes.get("RepoTags") or ()),
        # On containerd's store this is the compressed size: 139 MB for an image of 430 MB on overlay2.
        size_bytes=int(attributes.get("Size") or 0),
        created=str(attributes.get("Created") or ""),
        # `inspect` has them in Config, a list beside it.
        labels=(attributes.get("Config") or {}).get("Labels") or attributes.get("Labels") or {},
        layers=tuple((attributes.get("RootFS") or {}).get("Layers") or ()),
        config=attributes.get("Config") or {},
    )
