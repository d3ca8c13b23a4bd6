"""A copy of a build context to change files in: the working tree is never written."""

import os
import shlex
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from layerstack import command
from layerstack.dockerfile import context
from layerstack.dockerfile.image import Image
from layerstack.errors import UsageError
from layerstack.project.project import Project
from layerstack.temporary_folder import temporary_folder

COMMENTS = {
    "#": (
        *(".py", ".sh", ".bash", ".rb", ".yml", ".yaml", ".toml", ".conf", ".pl", ".r", ".txt"),
        *(".ex", ".exs", ".jl", ".cr", ".nim", ".ps1", ".tcl"),
    ),
    "//": (
        *(".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".go", ".rs", ".java", ".kt", ".kts", ".php"),
        *(".c", ".cc", ".cpp", ".h", ".hpp", ".cs", ".fs", ".swift", ".scala", ".groovy", ".dart", ".zig"),
    ),
    "--": (".sql", ".lua", ".hs", ".elm"),
    ";": (".clj", ".cljs", ".lisp"),
    "%": (".erl",),
    "/* */": (".css", ".scss", ".less"),
    "<!-- -->": (".html", ".htm", ".xml", ".svg", ".vue", ".svelte", ".md"),
}


@contextmanager
def copied_context(project: Project, image: Image) -> Iterator[Path]:
    """The files of a context that the engine would receive, the Dockerfile and its ignore file; removed at the end."""
    source = (project.root / image.context).resolve()
    with temporary_folder("rebuild") as copy:
        sent = context.Context(source, image.dockerfile)
        for entry in sent.walk():
            _copy_entry(source, copy, entry)
        for path in filter(None, (source / image.dockerfile, sent.ignore_file)):
            target = copy / os.path.relpath(path, source)
            # A Dockerfile outside the context stays where it is, and bake is given its path.
            if path.is_file() and target.resolve().is_relative_to(copy):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
        yield copy


def words_of(edit_command: str) -> tuple[str, ...]:
    """The program and arguments of a command, () for none. Raises UsageError for one that no shell would take."""
    try:
        words = shlex.split(edit_command)
    except ValueError as error:
        raise UsageError(f"--edit-with takes a command, not `{edit_command}`: {error}.") from error
    if edit_command and not words:
        raise UsageError("--edit-with takes a command, not blanks.")
    return tuple(words)


def change(path: Path, edit_command: str = "") -> None:
    """Change the content of a file of the copy: by `edit_command`, else by a new unique comment.

    Raises UsageError when the content stays the same: BuildKit ignores times, so nothing would be rebuilt.
    """
    before, mode = _digest(path), path.stat().st_mode
    # A checkout may be read-only; the mode is part of BuildKit's cache key, so that it comes back.
    path.chmod(mode | 0o200)
    if words := words_of(edit_command):
        command.run((*words, str(path)), cwd=path.parent).require()
    else:
        # A new comment each time: content that BuildKit has seen before would be cached. It follows a line break of its
        # own, as the file may not end with one.
        opening, _, closing = comment_style(path).partition(" ")
        with path.open("a") as file:
            file.write(f"\n{opening} rebuild {uuid.uuid4().hex} {closing}".rstrip() + "\n")
    with suppress(FileNotFoundError):  # a command may also remove it
        path.chmod(mode)
    if _digest(path) == before:
        raise UsageError(
            f"`{edit_command}` does not change the content of {path.name}.",
            "BuildKit compares content and mode, not times: touching a file rebuilds nothing.",
        )


def comment_style(path: Path) -> str:
    """The comment mark of a source file. Raises UsageError for an unknown kind of file."""
    for mark, suffixes in COMMENTS.items():
        if path.suffix.lower() in suffixes:
            return mark
    raise UsageError(
        f"{path.name} cannot be changed without knowing its comments.", "Name a source file in `x-layerstack.edit`."
    )


def _copy_entry(source: Path, copy: Path, entry: context.Entry) -> None:
    target = copy / entry.path
    if entry.is_folder:
        target.mkdir()
        # Writable for this user: a checkout may be read-only.
        target.chmod(entry.mode & 0o7777 | 0o700)
    elif entry.is_file or entry.is_link:
        # With its mode, which is part of BuildKit's cache key.
        shutil.copy2(source / entry.path, target, follow_symlinks=False)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
