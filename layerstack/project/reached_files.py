"""Every file that Compose reads for a project, directly or by reference."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from layerstack.errors import UsageError
from layerstack.project.compose_source import ComposeSource, read_source
from layerstack.project.env_file import expand, read_env_file

# Another server's file: `https://…`, `oci://…`, `git@host:…`.
_REMOTE = re.compile(r"^[a-z][a-z0-9+.-]*://|^[\w.-]+@[\w.-]+:")
# Most projects name no other file: parsing their YAML would only cost time. A backslash may stand for a letter.
_NAMES_FILES = re.compile(r"include|extends|env_file|label_file|\\")


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

    def note(self, visit: "_Visit", written: str, has_values: bool = False) -> list[Path]:
        """Where an env or label file may be."""
        places = visit.places(written)
        for paths in (self.others, self.values) if has_values else (self.others,):
            paths += [place for place in places if place not in paths]
        if not places and not has_values:
            self.unseen.append(expand(written, visit.variables))
        return places


@dataclass(frozen=True)
class _Visit:
    """One Compose file, the folders that relative paths in it may start at, and the variables that it sees."""

    path: Path
    folders: tuple[Path, ...]
    variables: Mapping[str, str]

    @property
    def key(self) -> tuple[object, ...]:
        return self.path, frozenset(self.folders), frozenset(self.variables.items())

    def places(self, written: str) -> list[Path]:
        """Where a path as it is written may lead; none for one on another machine."""
        name = expand(written, self.variables)
        every = () if _REMOTE.match(name) else (self.path.parent, *self.folders)
        return list(dict.fromkeys(Path(os.path.normpath(folder / name)) for folder in every))


def reached_files(root: Path, files: Iterable[Path], variables: Mapping[str, str]) -> Reached:
    """What Compose reads when it is called with `files`.

    Whether a relative path starts at the project's folder, at the file that names it or at the folder of an `include`
    depends on how that file was reached; all places are noted, because one file more to compare does no harm.
    """
    reached = Reached()
    waiting = [_Visit(path, (root,), variables) for path in files]
    # A file that is included twice may see other variables the second time.
    seen = set()
    while waiting:
        visit = waiting.pop(0)
        if visit.key in seen:
            continue
        seen.add(visit.key)
        if visit.path not in reached.sources:
            reached.sources.append(visit.path)
        try:
            documents = _read(visit.path)
        except (OSError, ValueError, UsageError):
            # Compose says what is wrong with it, or reads more than is understood here: UTF-16, for one.
            reached.unseen.append(str(visit.path))
            continue
        for document in documents:
            waiting += _visits(reached, visit, document)
    return reached


def _visits(reached: Reached, visit: _Visit, document: ComposeSource) -> Iterator[_Visit]:
    """The Compose files that a document names; its other files are noted."""
    for entry in _listed(document.value("include")):
        yield from _included(reached, visit, entry if isinstance(entry, dict) else {"path": entry})
    for service in document.services():
        if extends := document.value("services", service, "extends", "file"):
            yield from _sources(reached, visit, str(extends))
        for key in ("env_file", "label_file"):
            for entry in _listed(document.value("services", service, key)):
                written = str(entry.get("path") if isinstance(entry, dict) else entry)
                reached.note(visit, written)


def _included(reached: Reached, visit: _Visit, entry: Mapping[str, Any]) -> Iterator[_Visit]:
    """The files of one `include`: they see the folder and the variables that it gives them."""
    paths = [str(path) for path in _listed(entry.get("path"))]
    # The first file is the main one.
    main = expand(next(iter(paths), ""), visit.variables)
    folder = str(entry.get("project_directory") or Path(main).parent)
    own = reached.note(visit, f"{folder}/.env", has_values=True)
    written = map(str, _listed(entry.get("env_file")))
    named = [place for one in written for place in reached.note(visit, one, has_values=True)]
    variables: dict[str, str] = {}
    for place in named or own:
        variables |= read_env_file(place).resolved({**variables, **visit.variables})
    inner = replace(visit, folders=(*visit.places(folder), *visit.folders), variables={**variables, **visit.variables})
    for path in paths:
        yield from (replace(inner, path=found.path) for found in _sources(reached, visit, path))


def _sources(reached: Reached, visit: _Visit, written: str) -> list[_Visit]:
    """The Compose files that a path may mean. One that is nowhere here may be remote: `github.com/team/shop`."""
    found = [place for place in visit.places(written) if place.is_file()]
    if not found:
        reached.unseen.append(expand(written, visit.variables))
    return [replace(visit, path=place) for place in found]


def _read(path: Path) -> list[ComposeSource]:
    """Its documents; none where it names no file. Raises OSError, ValueError, UsageError."""
    if not _NAMES_FILES.search(path.read_text(encoding="utf-8")):
        return []
    return [ComposeSource((document,)) for document in read_source(path.parent, [path]).files]


def _listed(value: Any) -> Sequence[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
