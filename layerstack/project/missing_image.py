"""How to get an image that is not on this engine and that the project does not build."""

import re
from collections.abc import Iterator
from pathlib import Path

from layerstack.dockerfile.references import familiar
from layerstack.project.project import BAKE_NAMES

# `variable "NODE_IMAGE" {` in a bake file: `invoke setup` provides the images that such variables name.
_SYSTEM_IMAGE = re.compile(r"^\s*variable\s+\"\w+_IMAGE\"|\"\w+_IMAGE\"\s*:", re.MULTILINE)

# Seen with Buildx 0.29, where an image is neither on the engine nor in its registry.
# `pull access denied for base`, `failed to resolve source metadata for docker.io/library/base-x:latest: …`
_NOT_THERE = re.compile(r"(?:failed to resolve source metadata for|pull access denied for) ?(?P<name>[\w./:-]+)")


def named_in(message: str) -> Iterator[str]:
    """The images that BuildKit did not find, as it names them."""
    return (match["name"].rstrip(":.,") for match in _NOT_THERE.finditer(message))


def is_prepared_by_setup(root: Path, name: str = "") -> bool:
    """Whether the project declares system images, the one of this name among them, which `invoke setup` pulls or
    replaces by stand-ins."""
    texts = (file.read_text(errors="replace") for file in (root / one for one in BAKE_NAMES) if file.is_file())
    named = re.compile(rf'"{re.escape(familiar(name))}(:latest)?"' if name else "")
    return any(_SYSTEM_IMAGE.search(text) and named.search(text) for text in texts)


def way_to_get(root: Path) -> str:
    """The advice where no registry responds."""
    if is_prepared_by_setup(root):
        return "`invoke setup` pulls it or builds a stand-in."
    return (
        "Connect the engine to a registry (a proxy belongs into its daemon.json), "
        "or bring the image here: `docker load --input FILE`."
    )
