"""Checks of `.env` and of the variables in the Compose files, without an engine."""

import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path

from layerstack.errors import StackError
from layerstack.finding import Finding, error, ok, warning
from layerstack.project.compose_files import choose_files
from layerstack.project.compose_source import ComposeSource, Variable
from layerstack.project.env_example import find_example
from layerstack.project.env_file import EnvFile, EnvLine, read_env_file
from layerstack.project.project import BAKE_NAMES, find_reached_files
from layerstack.wording import nearest

CHECK = ".env"
# Compose and the docker command read these themselves.
OWN_PREFIXES = ("COMPOSE_", "DOCKER_", "BUILDKIT_", "BUILDX_", "BAKE_")
LIKENESS = 0.8
# `variable "NAME"` in HCL; `"NAME": {` below `"variable"` in JSON.
_BAKE_VARIABLE = re.compile(r"^\s*variable\s+\"(\w+)\"|^\s{2,4}\"(\w+)\"\s*:\s*\{\s*$", re.MULTILINE)
# `8080`, `8000-8010`, `127.0.0.1:8080`, `[::1]:8080`, `53/udp`; for 0 Docker chooses one.
_PORT = re.compile(r"(?:\S*:)?(\d+(?:-\d+)?)(?:/\w+)?")
# Not `$$` and `\$`, which stand for a dollar sign.
_DOLLAR = re.compile(r"(?<![\\$])\$\{?([A-Za-z_]\w*)")


@dataclass(frozen=True)
class Names:
    """The variables of a project: its `.env`, the variables in its Compose files, and all names in use.

    `coming` are set elsewhere: by the env files of what is included, or by copying the example where no `.env` is.
    """

    file: EnvFile
    variables: tuple[Variable, ...]
    used: frozenset[str]
    coming: frozenset[str] = frozenset()

    def value(self, name: str) -> str | None:
        """As Compose sees it: the shell wins over the file."""
        return os.environ.get(name, self.file.values.get(name))

    def lacks(self, use: Variable) -> bool:
        """Whether Compose has no value for this use: `${NAME:?}` takes no empty one."""
        value = self.value(use.name)
        return use.name not in self.coming and (value is None or (use.operator == ":?" and not value))


def check_env_file(root: Path, source: ComposeSource) -> Iterator[Finding]:
    """Is every variable of the Compose files set, and is every line of `.env` read as intended?"""
    own = root / ".env"
    # An example that only the program reads, when it runs without containers, is none of Compose's.
    if (example := find_example(own)) and _concerns_compose(root, source, example):
        what = f"there is no .env, only {example.name}: the defaults of the Compose file count"
        yield warning(CHECK, what, shlex.join(["cp", example.name, ".env"]))
    names = read_names(root, source)
    checks: tuple[Callable[[Names], Iterator[Finding]], ...] = (
        _broken_lines,
        _duplicates,
        _cut_values,
        _shell_differences,
        _unset,
        _misspelt,
        _port_numbers,
    )
    found = [finding for check in checks for finding in check(names)]
    yield from found
    if own.exists() and not found:
        yield ok(CHECK, f"{len(names.file.lines)} lines, every variable is set")


def read_names(root: Path, source: ComposeSource) -> Names:
    """Names in the example count as used: other programs of the project may read them."""
    variables = tuple(source.variables())
    beside = find_example(root / ".env") or root / ".env.example"
    example = tuple(line.name for line in read_env_file(beside).lines)
    used = _used(root, source) | set(example)
    coming = {line.name for path in _other_env_files(root) for line in read_env_file(path).lines}
    coming |= set() if (root / ".env").exists() else set(example)
    return Names(read_env_file(root / ".env"), variables, frozenset(used), frozenset(coming))


def _used(root: Path, source: ComposeSource) -> set[str]:
    """Names that Compose and bake files use."""
    return {one.name for one in source.variables()} | set(_passed_on(source)) | set(_bake_variables(root))


def _concerns_compose(root: Path, source: ComposeSource, example: Path) -> bool:
    """Whether what is copied from it would reach Compose, a build, or a container."""
    names = {line.name for line in read_env_file(example).lines}
    handed = (text for service in source.services() for text, _ in source.texts("services", service, "env_file"))
    is_used = names & _used(root, source) or any(name.startswith(OWN_PREFIXES) for name in names)
    return bool(is_used) or any(normpath(text) == ".env" for text in handed)


def _other_env_files(root: Path) -> tuple[Path, ...]:
    """Those of what is included, and those that the environment names."""
    # What makes the project unreadable is reported by the finding named `project`.
    with suppress(StackError):
        every = (*find_reached_files(root, "cpu").values, *choose_files(root).env_files)
        return tuple(path for path in every if path.resolve() != (root / ".env").resolve())
    return ()


def _passed_on(source: ComposeSource) -> Iterator[str]:
    """Names in `environment:` without a value, which Compose takes from the environment."""
    for service in source.services():
        for section in (("environment",), ("build", "args")):
            for entry, _ in source.entries("services", service, *section):
                if isinstance(entry, str) and "=" not in entry:
                    yield entry
            written = source.value("services", service, *section)
            if isinstance(written, Mapping):
                yield from (name for name, value in written.items() if value is None)


def _bake_variables(root: Path) -> Iterator[str]:
    for name in BAKE_NAMES:
        path = root / name
        if path.is_file():
            for match in _BAKE_VARIABLE.finditer(path.read_text(encoding="utf-8", errors="replace")):
                yield match[1] or match[2]


def _broken_lines(names: Names) -> Iterator[Finding]:
    for line in names.file.lines:
        if line.is_broken:
            what = f"the {line.quote} of {line.name} is never closed" if line.quote else "this is no NAME=value"
            yield _problem(names, line, error, what, f"Correct line {line.number} of .env; Compose refuses the file.")


def _duplicates(names: Names) -> Iterator[Finding]:
    counted = Counter(line.name for line in names.file.lines)
    for name in (name for name, count in counted.items() if count > 1):
        lines = [line for line in names.file.lines if line.name == name]
        numbers = " and ".join(str(line.number) for line in lines)
        what = f"lines {numbers} set {name}: the last one counts"
        yield _problem(names, lines[-1], warning, what, f"Keep one line of {name}.")


def _cut_values(names: Names) -> Iterator[Finding]:
    """Values that Compose does not take literally. Values are never printed: they may be passwords."""
    for line in names.file.lines:
        unknown = [name for name in _DOLLAR.findall(line.value) if names.value(name) is None]
        # In single quotes Compose substitutes nothing.
        if line.quote != "'" and unknown:
            what = f"Compose reads `${unknown[0]}` in the value of {line.name} as a variable, and it is not set"
            yield _problem(names, line, warning, what, f"Put the value of {line.name} in single quotes.")
        if line.tail:
            what = f"Compose drops what follows the closing {line.quote} of {line.name}"
            yield _problem(names, line, warning, what, f"Put the whole value of {line.name} in quotes.")


def _shell_differences(names: Names) -> Iterator[Finding]:
    """Syntax that Compose accepts and `source .env` or `docker run --env-file` do not."""
    odd = [line for line in names.file.lines if not line.is_plain]
    if names.file.has_carriage_returns:
        what = "it has Windows line ends: Compose copes, a shell and `docker run --env-file` keep them in the values"
        yield warning(CHECK, what, r"sed -i 's/\r$//' .env", place=f"{names.file.name}:1")
    for line in odd:
        what = f"{line.name} is not followed by = alone: Compose copes, a shell and `docker run --env-file` do not"
        yield _problem(names, line, warning, what, f"Write {line.name}=… without blanks around the sign.")


def _unset(names: Names) -> Iterator[Finding]:
    missing: dict[str, list[Variable]] = {}
    for one in names.variables:
        # Compose itself reads or sets those with its own prefix.
        if names.lacks(one) and (one.is_needed or one.is_demanded) and not one.name.startswith("COMPOSE_"):
            missing.setdefault(one.name, []).append(one)
    for name, uses in missing.items():
        # A name that is used is no typo of another one.
        near = _nearest(name, [line.name for line in names.file.lines if line.name not in names.used])
        hint = f"Did you mean {near} in .env? " if near else ""
        remedy = f"{hint}Write {name}=… into .env, or a default: ${{{name}:-…}}; a dollar sign of its own is $$."
        if any(one.is_demanded for one in uses):
            state = "not set" if names.value(name) is None else "empty"
            yield error(CHECK, f"{name} is required and {state}", remedy, place=uses[0].place)
        else:
            yield warning(CHECK, f"{name} is not set: Compose substitutes an empty string", remedy, place=uses[0].place)


def _misspelt(names: Names) -> Iterator[Finding]:
    """Unused names similar to an unset one with a default. Other unused names may be for some program."""
    unset = {one.name for one in names.variables if one.is_needed or one.is_demanded}
    open_names = [name for name in names.used - unset if name not in names.file.values]
    for line in names.file.lines:
        if line.name in names.used or line.name.startswith(OWN_PREFIXES):
            continue
        if near := _nearest(line.name, open_names):
            what = f"nothing uses {line.name}; did you mean {near}?"
            yield _problem(names, line, warning, what, f"Rename it to {near}, or delete the line.")


def _port_numbers(names: Names) -> Iterator[Finding]:
    seen: set[str] = set()
    for one in names.variables:
        value = names.value(one.name)
        if "ports" not in one.keys or one.name in seen or not value:
            continue
        seen.add(one.name)
        # In `ports:` variables may hold addresses or whole entries: only one that is called a port must be a number.
        if "port" in one.name.lower() and not _is_port(value):
            where = names.file.place(one.name) if one.name not in os.environ else one.place
            remedy = f"Set {one.name} to a number up to 65535."
            yield error(CHECK, f"{one.name}={value} is no port number", remedy, place=where)


def _is_port(text: str) -> bool:
    match = _PORT.fullmatch(text)
    return match is not None and all(int(part) < 65536 for part in match[1].split("-"))


def _problem(names: Names, line: EnvLine, severity: Callable[..., Finding], detail: str, remedy: str) -> Finding:
    return severity(CHECK, detail, remedy, place=f"{names.file.name}:{line.number}")


def _nearest(name: str, known: list[str]) -> str:
    """The name of which this may be a typo: with as many words, or the same letters. An added word is intended."""
    alike = [
        one
        for one in known
        if one.count("_") == name.count("_") or one.replace("_", "").lower() == name.replace("_", "").lower()
    ]
    return nearest(name, alike, LIKENESS)
