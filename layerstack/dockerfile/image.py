"""One image that bake can build: what it is built from, under which tags, and on which other images."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import Path
from typing import Any

from layerstack.dockerfile.copy_sources import is_remote

TARGET = "target:"
_NO_FOLDERS = (TARGET, "service:", "docker-image:")


@dataclass(frozen=True)
class Image:
    """One bake target. `contexts` maps a name to `target:NAME`, `docker-image://REF` or a folder."""

    name: str
    context: str
    dockerfile: str = "Dockerfile"
    target: str = ""
    tags: tuple[str, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    definition: Mapping[str, Any] = field(default_factory=dict)

    @property
    def dockerfile_place(self) -> str:
        """Where to read its instructions: a path from the root, or the image whose definition has them."""
        if self.definition.get("dockerfile-inline"):
            return f"{self.name}'s dockerfile_inline"
        return normpath(Path(self.context) / self.dockerfile)

    @property
    def inline(self) -> str:
        """The Dockerfile inside its definition, without the escapes that bake needs; "" for one in a file."""
        text = str(self.definition.get("dockerfile-inline") or "")
        return text.replace("$${", "${").replace("%%{", "%{")

    @property
    def tag(self) -> str:
        return self.tags[0] if self.tags else self.name

    @property
    def names(self) -> tuple[str, ...]:
        """Every tag that a build gives it, or its name where the definition gives none."""
        return self.tags or (self.tag,)

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the images this one is built on."""
        return tuple(name for name in map(target_of, self.contexts.values()) if name)

    @property
    def folders(self) -> dict[str, str]:
        """Context name → folder, from the project's root, for those that are folders; "" is the build context."""
        named = {"": self.context, **self.contexts}
        return {name: value for name, value in named.items() if not (value.startswith(_NO_FOLDERS) or is_remote(value))}


def target_of(context: str) -> str:
    """`base` of `target:base`: the image of the project that a context stands for; "" for none."""
    return context.removeprefix(TARGET) if context.startswith(TARGET) else ""


def read_image(name: str, definition: Mapping[str, Any]) -> Image:
    """An image from the definition of its bake target."""
    # An inline Dockerfile is no file: nothing beside it, an ignore file least of all, is its own.
    inline = definition.get("dockerfile-inline")
    return Image(
        name=name,
        context=definition.get("context", "."),
        dockerfile="" if inline else definition.get("dockerfile", "Dockerfile"),
        target=definition.get("target", ""),
        tags=tuple(definition.get("tags") or ()),
        args={key: str(value) for key, value in (definition.get("args") or {}).items()},
        contexts=definition.get("contexts") or {},
        definition=definition,
    )
