"""Every file that Compose reads for a project, directly or by reference."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerstack.errors import UsageError
from layerstack.project.compose_source import ComposeSource, read_source
from layerstack.project.env_file import expand

# Another server's file: `https://…`, `oci://…`, `git@host:…`.
_REMOTE = re.compile(r"^[a-z][a-z0-9+.-]*://|^[\w.-]+@[\w.-]+:")
# Most projects name no other file: parsing their YAML would only cost time.
_NAMES_FILES = re.compile(r"\b(?:include|extends|env_file|label_file)[\"']?\s*:")


@dataclass
class Reached:
    """`sources` are Compose files in the order in which they were met; `others` env and label files, there or not.

    Of these, `values` are those whose variables Compose puts into what it includes. `unseen` names what is on another
    machine, and Compose files that are not understood here: whether what they bring has changed cannot be seen.
    """

    sources: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    values: list[Path] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def add(self, path: Path, has_values: bool) -> None:
        for paths in (self.others, self.values) if has_values else (self.others,):
            if path not in paths:
                paths.append(path)


def reached_files(root: Path, files: Iterable[Path], variables: Mapping[str, str]) -> Reached:
    """What Compose reads when it is called with `files`.

    Whether a relative path starts at the project's folder or at the file that names it depends on how that file was
    reached; both places are noted, because one file more to compare does no harm.
    """
    reached = Reached()
    waiting = list(files)
    while waiting:
        path = waiting.pop(0)
        if path in reached.sources:
            continue
        reached.sources.append(path)
        try:
            named = list(_named(path))
        except (OSError, ValueError, UsageError):
            # Compose says what is wrong with it, or reads more than is understood here: UTF-16, for one.
            reached.unseen.append(str(path))
            continue
        for kind, written in named:
            name = expand(written, variables)
            if _REMOTE.match(name):
                # A remote file is noted already under its own address.
                reached.unseen += [name] if kind != "folder" else []
                continue
            for folder in dict.fromkeys((path.parent, root)):
                found = Path(os.path.normpath(folder / name))
                if kind == "source" and found.is_file():
                    waiting.append(found)
                elif kind == "folder":
                    reached.add(found / ".env", has_values=True)
                elif kind in ("values", "env"):
                    reached.add(found, has_values=kind == "values")
    return reached


def _named(path: Path) -> Iterator[tuple[str, str]]:
    """(kind, path as written) of every file that a Compose file names. Raises OSError, ValueError, UsageError."""
    if not _NAMES_FILES.search(path.read_text(encoding="utf-8")):
        return
    for document in read_source(path.parent, [path]).files:
        yield from _of_document(ComposeSource((document,)))


def _of_document(source: ComposeSource) -> Iterator[tuple[str, str]]:
    for entry in _listed(source.value("include")):
        yield from _included(entry if isinstance(entry, dict) else {"path": entry})
    for service in source.services():
        extends = source.value("services", service, "extends", "file")
        yield from [("source", str(extends))] if extends else ()
        for key in ("env_file", "label_file"):
            for entry in _listed(source.value("services", service, key)):
                yield "env", str(entry.get("path") if isinstance(entry, dict) else entry)


def _included(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path in _listed(entry.get("path")):
        yield "source", str(path)
        yield "folder", str(Path(str(path)).parent)
    for path in _listed(entry.get("env_file")):
        yield "values", str(path)
    if folder := entry.get("project_directory"):
        yield "folder", str(folder)


def _listed(value: Any) -> Sequence[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
