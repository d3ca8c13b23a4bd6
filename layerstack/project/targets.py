"""Images from the definitions that bake printed, with readable paths; equal images of several services are one."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from layerstack.dockerfile.image import TARGET, Image, read_image, target_of
from layerstack.project.image_name import full_name
from layerstack.project.question import unescaped
from layerstack.project.service import SERVICE_LABEL

# Contexts that are no folder of this machine.
_ELSEWHERE = ("target:", "service:", "docker-image:", "oci-layout:")


def read_images(root: Path, targets: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> dict[str, Image]:
    """`names` maps a service to the image that its containers run: that tag comes first."""
    merged = _merged(targets)
    return {name: read_target(root, name, one, names.get(service_of(name, one), "")) for name, one in merged.items()}


def read_target(root: Path, name: str, definition: Mapping[str, Any], tag: str = "") -> Image:
    """One image. Its `definition` is what bake printed, with absolute paths and escapes, to be given to bake again."""
    if tag and not definition.get("tags"):
        definition = {**definition, "tags": [tag]}
    plain = unescaped(definition)
    context = _shown(root, str(plain.get("context", ".")))
    contexts = {key: _shown(root, str(value)) for key, value in (plain.get("contexts") or {}).items()}
    dockerfile = _from_context(root, context, str(plain.get("dockerfile", "Dockerfile")))
    image = read_image(name, {**plain, "context": context, "contexts": contexts, "dockerfile": dockerfile})
    first = sorted(image.tags, key=lambda one: full_name(one) != full_name(tag)) if tag else image.tags
    return replace(image, tags=tuple(first), definition=definition)


def service_of(name: str, definition: Mapping[str, Any]) -> str:
    """The Compose service of a target, by Compose's label; the target's name without one."""
    return str((definition.get("labels") or {}).get(SERVICE_LABEL, name))


def _merged(targets: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Each image once: services with equal builds and tags differ in Compose's label only."""
    first: dict[str, str] = {}
    # An image without tags gets the one of its service, so that equal builds are different images.
    same = {name: first.setdefault(_made(one), name) if one.get("tags") else name for name, one in targets.items()}
    merged: dict[str, Mapping[str, Any]] = {}
    for name, one in targets.items():
        if same[name] == name:
            contexts = {key: _renamed(str(value), same) for key, value in (one.get("contexts") or {}).items()}
            merged[name] = {**one, **({"contexts": contexts} if contexts else {})}
    return merged


def _made(definition: Mapping[str, Any]) -> str:
    labels = {key: value for key, value in (definition.get("labels") or {}).items() if key != SERVICE_LABEL}
    counted = {**definition, "labels": labels, "tags": sorted(map(full_name, definition["tags"]))}
    return repr(sorted(counted.items()))


def _renamed(value: str, same: Mapping[str, str]) -> str:
    name = target_of(value)
    return f"{TARGET}{same.get(name, name)}" if name else value


def _shown(root: Path, path: str) -> str:
    """A folder relative to the root when it is inside: the same on every machine."""
    if path.startswith(_ELSEWHERE) or "://" in path or not os.path.isabs(path):  # noqa: PTH117 - may be an address
        return path
    return next((str(Path(path).relative_to(one)) for one in _roots(root) if Path(path).is_relative_to(one)), path)


def _from_context(root: Path, context: str, dockerfile: str) -> str:
    """The Dockerfile relative to its context. Compose resolves links in its folder."""
    if not os.path.isabs(dockerfile) or "://" in context:  # noqa: PTH117 - may be an address
        return dockerfile
    for folder in (root / context, Path(os.path.realpath(root / context))):
        if Path(dockerfile).is_relative_to(folder):
            return str(Path(dockerfile).relative_to(folder))
    return os.path.relpath(dockerfile, root / context)


def _roots(root: Path) -> Iterable[Path]:
    # Compose resolves links in some of the paths that it prints, and not in others.
    return dict.fromkeys((root, Path(os.path.realpath(root))))
