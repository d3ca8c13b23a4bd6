"""Files that a build takes into an image as they are: history, packages, secrets; scripts with Windows line ends."""

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from layerstack.dockerfile import context, copy_sources, ignore_rules
from layerstack.dockerfile.ignore_rules import Pattern
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.instruction import Instruction
from layerstack.dockerfile.recipe import parse_dockerfile
from layerstack.dockerfile.variables import Variables
from layerstack.doctor.dockerfiles import instruction_place
from layerstack.errors import UsageError
from layerstack.finding import Finding, error, or_ok, warning
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project
from layerstack.run.cause import end_returns, keep_ends
from layerstack.run.script_file import find_scripts
from layerstack.wording import listed

CHECK, SCRIPTS = "context-takes-all", "windows-line-ends"
FOLDERS = (".git", "node_modules", "__pycache__")
FILES = (".env", ".git")  # `.git` is a file in a submodule and in a second work tree
# A folder of this name is a virtual environment only if it contains this file.
ENVIRONMENTS, ENVIRONMENT_FILE = (".venv", "venv"), "pyvenv.cfg"

# What a pattern finds is not followed here.
_WILDCARD = re.compile(r"[*?\[\\]")


@or_ok(CHECK, "no image takes history, installed packages or .env from its context")
def check_contexts(project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Does a COPY or ADD of a context or of a folder in it take such files along?"""
    found: dict[str, Finding] = {}
    for image in project.images.values():
        with suppress(UsageError, OSError):
            for line, finding in _check(project.root, image):
                place = instruction_place(source, image, line)
                # Several images may be built from one Dockerfile: each line of it is reported once.
                found.setdefault(place, replace(finding, place=place))
    yield from found.values()


def _check(root: Path, image: Image) -> Iterator[tuple[int, Finding]]:
    if copy_sources.is_remote(image.context):
        return
    folder = root / image.context
    stages = parse_dockerfile(root, image).reachable(image.target)
    taking = [(one, list(_folders(one))) for stage in stages for one in stage.instructions]
    if not any(folders for _, folders in taking):
        return
    sent = context.Context(folder, image.dockerfile)
    unwanted = list(find_unwanted(folder, sent.patterns))
    file = os.path.relpath(sent.ignore_file or folder / ".dockerignore", root)
    for one, folders in taking:
        if taken := [path for path in unwanted if any(_takes(path, *copied) for copied in folders)]:
            lines = ", ".join(f"`{line}`" for line in ignore_lines(taken))
            detail = f"`{one.keyword} {one.text}` takes {listed(taken)} along"
            yield one.line, warning(CHECK, detail, f"Add to {file}, a line each: {lines}", image.name)


def _folders(instruction: Instruction) -> Iterator[tuple[str, Sequence[Pattern]]]:
    """The folders of the build context that an instruction copies, "" for all of it, with its `--exclude` patterns."""
    if instruction.keyword not in ("COPY", "ADD") or instruction.heredocs:
        return
    # Elsewhere a source with unknown variables counts as everything; a warning needs a literal one.
    literal = {_below_root(word.strip("\"'")) for word in instruction.words[:-1]}
    for source in copy_sources.read_sources(instruction, Variables()):
        folder = _below_root(source.pattern)
        if not source.origin and not source.only and folder in literal and not _WILDCARD.search(folder):
            yield folder, ignore_rules.parse_patterns("\n".join(source.excludes), Path("--exclude"))


def _takes(path: str, folder: str, excludes: Sequence[Pattern]) -> bool:
    """Whether a copy of the folder takes what is inside it; what a COPY names itself is wanted."""
    inside = path.removeprefix(f"{folder}/") if folder else path
    return (not folder or inside != path) and not ignore_rules.is_left_out(excludes, inside)


def _below_root(path: str) -> str:
    """A source in one spelling, "" for `.`, `./`, `./.`, `/`, `..`: a context ends at its root.

    `*` names all in it, hidden files too.
    """
    below = posixpath.normpath(f"/{path}").lstrip("/")
    return "" if below == "*" else below


def find_unwanted(folder: Path, patterns: Sequence[Pattern]) -> Iterator[str]:
    """Unwanted paths in a context that no ignore rule keeps out, without what is inside them."""
    for place, folders, files in os.walk(folder):
        inside = PurePosixPath(os.path.relpath(place, folder))

        def is_sent(name: str, inside: PurePosixPath = inside) -> bool:
            return not ignore_rules.is_left_out(patterns, str(inside / name))

        # An ignored folder may contain an exception, so every folder is searched.
        for name in sorted(filter(is_sent, (*folders, *files))):
            if _is_unwanted(Path(place, name), name in folders):
                yield str(inside / name)
        # What these folders contain is theirs: one finding for each is enough.
        folders[:] = [name for name in folders if name not in (*FOLDERS, *ENVIRONMENTS)]


def _is_unwanted(path: Path, is_folder: bool) -> bool:
    if path.name in ENVIRONMENTS:
        return (path / ENVIRONMENT_FILE).is_file()
    return path.name in (FOLDERS if is_folder else FILES)


def ignore_lines(paths: Sequence[str]) -> list[str]:
    """The ignore rules for these paths: by name, with `**/` for one in a subfolder."""
    nested = {PurePosixPath(path).name for path in paths if "/" in path}
    names = (PurePosixPath(path).name for path in paths)
    return sorted({f"**/{name}" if name in nested else name for name in names})


@or_ok(SCRIPTS, "no script of an image has Windows line ends")
def check_scripts(project: Project) -> Iterator[Finding]:
    """An error for a script that a container starts with, a warning for any other that a build reads."""
    found: dict[str, Finding] = {}
    for image in project.images.values():
        users = [one.definition for one in project.services.values() if project.image_of(one) is image]
        # A build says what is wrong with a Dockerfile or a context that cannot be read.
        with suppress(UsageError, OSError):
            for path, is_start in find_scripts(project.root, image, users):
                detail = f"{path} has Windows line ends: the kernel looks for an interpreter whose name ends with `\\r`"
                report = error if is_start else warning
                remedy = f"`{end_returns([path])}`, and {keep_ends([path])}"
                found.setdefault(path, report(SCRIPTS, detail, remedy, image.name, path))
    yield from found.values()
