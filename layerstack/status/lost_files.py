"""Which files hidden by a mount are a loss: packages, models, compiled code, the start file."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerstack import model_file
from layerstack.engine.image_tree import Tree

START, PYTHON, NODE, EDITABLE, MODEL, CODE = (
    "the file of the start command",
    "Python packages",
    "node_modules",
    "an editable install",
    "model data",
    "code",
)
MODEL_BYTES = 1 << 20
CODE_ENDS = (".cjs", ".go", ".jar", ".js", ".jsx", ".mjs", ".py", ".rb", ".so", ".ts", ".tsx")
# `app/__pycache__/main.cpython-312.pyc`, `.vite/deps.js`
_REMADE = re.compile(r"(^|/)(__pycache__|\.cache|\.vite|\.pytest_cache)/|\.py[co]$")
# `pip install -e ./src`
_EDITABLE = re.compile(r"(?:^|\s)(?:-e|--editable)[\s=]+([^\s;&|]+)")
# `WORKDIR /app`, `/bin/sh -c #(nop) WORKDIR /app` of the builder before BuildKit
_WORKDIR = re.compile(r"^(?:/bin/sh -c #\(nop\)\s+)?WORKDIR\s+(.+)")


@dataclass(frozen=True)
class Loss:
    """Files of one kind, as absolute paths in the container; `is_older` when the mount has another version of them."""

    kind: str
    paths: tuple[str, ...]
    is_older: bool = False


@dataclass(frozen=True)
class Installed:
    """What an image has below one path: its files, where editable installs lie, and what it may start with."""

    target: str
    tree: Tree
    editable: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()

    def absolute(self, inside: str) -> str:
        return posixpath.join(self.target, inside) if inside else self.target

    @property
    def roots(self) -> tuple[str, ...]:
        """Folders of editable installs: those that the build names, and those with setuptools' traces."""
        traces = {
            posixpath.dirname(self.absolute(one).partition(".egg-info/")[0]) for one in self.tree if ".egg-info/" in one
        }
        return tuple(sorted({*self.editable, *traces}))


def find_losses(image: Installed, provided: Tree) -> list[Loss]:
    """What the image has and the mount does not."""
    lost = [inside for inside in image.tree if inside not in provided and not _REMADE.search(inside)]
    found: dict[str, list[str]] = {}
    for inside in lost:
        if kind := _kind(image, inside):
            found.setdefault(kind, []).append(image.absolute(inside))
    if hidden := [*_hidden_packages(image, provided, lost)]:
        found[EDITABLE] = hidden
    return [Loss(kind, tuple(paths)) for kind, paths in found.items()]


def find_older(image: Installed, provided: Tree) -> list[Loss]:
    """What both have in different versions, among what only a build writes: for volumes that were filled once."""
    found: dict[str, list[str]] = {}
    for inside, mark in image.tree.items():
        is_same = provided.get(inside, mark) == mark
        if not is_same and not _REMADE.search(inside):
            path = image.absolute(inside)
            # What tools keep in hidden folders, like `.next`, they write themselves.
            is_code = path.endswith(CODE_ENDS) and "/." not in path
            kind = _kind(image, inside) or (CODE if is_code else "")
            if kind:
                found.setdefault(kind, []).append(path)
    return [Loss(kind, tuple(paths), is_older=True) for kind, paths in found.items()]


def editable_roots(created_by: Iterable[str]) -> tuple[str, ...]:
    """Folders that the steps of a build install from with `-e`, from the image's history, oldest step first."""
    folder, found = "/", []
    for text in created_by:
        if match := _WORKDIR.match(text):
            folder = posixpath.join(folder, match[1])
        found += [posixpath.normpath(posixpath.join(folder, _folder(one))) for one in _EDITABLE.findall(text)]
    return tuple(dict.fromkeys(found))


def _folder(requirement: str) -> str:
    """`.[dev]` and `./src` without extras and quotes."""
    return requirement.strip("'\"").partition("[")[0] or "."


def _kind(image: Installed, inside: str) -> str:
    path = image.absolute(inside)
    if path in image.starts:
        return START
    if "/site-packages/" in path or "/dist-packages/" in path:
        return PYTHON
    if "/node_modules/" in path:
        return NODE
    is_large = _size(image.tree[inside]) >= MODEL_BYTES
    return MODEL if is_large and path.endswith(model_file.ENDINGS) else ""


def _size(mark: str) -> int:
    number = mark.partition(" ")[0]
    return int(number) if number.isdigit() else 0


def _hidden_packages(image: Installed, provided: Tree, lost: Sequence[str]) -> Iterator[str]:
    """Compiled modules that only the image has, and packages of which the mount has no file."""
    roots = tuple(f"{root.rstrip('/')}/" for root in image.roots)
    for inside in lost:
        path = image.absolute(inside)
        # An editable install is mounted with its source: only what the source does not have is lost.
        if not path.startswith(roots) or "/site-packages/" in path:
            continue
        is_package = posixpath.basename(path) == "__init__.py" and not _has_any(provided, posixpath.dirname(inside))
        if is_package or path.endswith(".so"):
            yield path


def _has_any(provided: Mapping[str, str], folder: str) -> bool:
    return any(one.startswith(f"{folder}/") for one in provided)
