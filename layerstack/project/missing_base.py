"""A missing base image with a Dockerfile that looks like its source: the lines that declare it.

A folder with the name of an image proves nothing, so nothing is built from it; when the image is missing, its
declaration is the likeliest repair.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from layerstack.dockerfile.recipe import read_recipe
from layerstack.dockerfile.references import familiar
from layerstack.errors import UsageError
from layerstack.project import missing_image
from layerstack.project.build_commands import DEEPEST_FOLDER, PASSED_OVER
from layerstack.project.image_name import full_name, repository_of
from layerstack.project.project import Project

BAKE_FILE = "docker-bake.hcl"
# `Dockerfile.base`
_OWN_NAME = re.compile(r"^Dockerfile\.(?P<after>[\w-]+)$|^(?P<before>[\w-]+)\.Dockerfile$")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w-]*")


@dataclass(frozen=True)
class _Dockerfile:
    """`words` are the parts of its path that an image may be named after."""

    words: tuple[str, ...]
    folder: str
    name: str

    def is_named(self, repository: str) -> bool:
        wanted = tuple(repository.split("/"))
        return bool(self.words) and self.words[-len(wanted) :] == wanted


def advice_for(project: Project, message: str) -> str:
    """The lines to write for the missing base of a failed build; "" when no Dockerfile looks like its source."""
    for name in missing_image.named_in(message):
        # A folder that is called like a system image holds what stands in for it.
        if missing_image.is_prepared_by_setup(project.root, name):
            continue
        if lines := declaration(project, name):
            return (
                f"No registry has {familiar(name)}, and this project does not say how it is built. "
                f"If it is built here, write into {BAKE_FILE}:\n{lines}\n"
                f"  → If it is a system image: {missing_image.way_to_get(project.root)}"
            )
    return ""


def declaration(project: Project, reference: str) -> str:
    """The lines for `docker-bake.hcl` that declare an image and the images on it; "" without a likely Dockerfile."""
    found = [one for one in _dockerfiles(project.root) if one.is_named(repository_of(reference))]
    if not found:
        return ""
    name, base = re.sub(r"[^A-Za-z0-9_-]+", "_", familiar(reference)), found[0]
    file = "" if base.name == "Dockerfile" else f"  dockerfile = {json.dumps(base.name)}\n"
    lines = f"target {json.dumps(name)} {{\n  context = {json.dumps(base.folder)}\n{file}"
    lines += f"  tags = [{json.dumps(full_name(reference))}]\n}}\n"
    key = familiar(reference)
    shown = key if _IDENTIFIER.fullmatch(key) else json.dumps(key)
    users = (image.name for image in project.images.values() if _reads(project, image.name, reference))
    lines += "".join(
        f"target {json.dumps(user)} {{\n  contexts = {{ {shown} = {json.dumps(f'target:{name}')} }}\n}}\n"
        for user in users
    )
    return "\n".join(f"    {line}" for line in lines.splitlines())


def _reads(project: Project, name: str, reference: str) -> bool:
    try:
        parents = read_recipe(project.root, project.images[name]).parents
    except UsageError:
        return False
    return full_name(reference) in map(full_name, parents)


def _dockerfiles(root: Path) -> Iterator[_Dockerfile]:
    """Every Dockerfile in the tree, in path order."""
    for folder, folders, files in os.walk(root):
        parts = Path(folder).relative_to(root).parts
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in PASSED_OVER)
        if len(parts) >= DEEPEST_FOLDER:
            folders.clear()
        for file in sorted(files):
            own = _OWN_NAME.match(file)
            words = (*parts, own["after"] or own["before"]) if own else parts
            if own or file == "Dockerfile":
                yield _Dockerfile(words, "/".join(parts) or ".", file)
