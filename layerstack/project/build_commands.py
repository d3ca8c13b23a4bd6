"""`docker build` commands in the project's scripts, Makefiles, READMEs and CI files.

Only such a line is evidence that an image of some name is built from this tree; a folder of that name is not.
"""

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

# Scripts and CI files that build images lie near the top; below are data and dependencies.
DEEPEST_FOLDER = 4
# Larger files are data, whatever their name.
MOST_BYTES = 256 * 1024
PASSED_OVER = {"node_modules", "venv", "vendor", "dist", "__pycache__"}
HIDDEN_CI = {".github", ".circleci", ".gitlab", ".buildkite"}
# `build.sh`, `Makefile`, `README.md`, `package.json`, `.gitlab-ci.yml`
_NAMES = re.compile(
    r"(?i)^(?:.*\.(?:sh|bash|zsh|mk|md|rst|just)|\.?justfile|(?:gnu)?makefile|taskfile\.ya?ml|package\.json"
    r"|readme.*|\.gitlab-ci\.ya?ml|azure-pipelines.*\.ya?ml|cloudbuild\.ya?ml|\.travis\.ya?ml)$"
)
_CI_YAML = re.compile(r"(?i)\.ya?ml$")
# `$(CURDIR)`, `$(pwd)`, `$PWD`, `${PWD}`
_FOLDER_OF_CALL = re.compile(r"\$\((?:CURDIR|pwd)\)|\$PWD\b|\$\{PWD\}")
# `docker buildx build -t base-node:latest docker/base-node`
_BUILD = r"\bdocker\s+(?:(?:buildx|image|builder)\s+)?build\s"
_COMMAND = re.compile(rf"{_BUILD}(?P<rest>(?:(?!{_BUILD}).)*)")
# The same in a whole file, where a backslash may end a line between the words. Most files that name docker have none.
_MENTIONED = re.compile(rb"\bdocker[\s\\]+(?:(?:buildx|image|builder)[\s\\]+)?build[\s\\]")
# `cd docker/base-node && docker build .`
_CHANGED_FOLDER = re.compile(r"\bcd\s+(?P<folder>[\w./\"'${}-]+)\s*(?:&&|;)")
# `TAG=latest`, `export NAME="base-node"`, `IMAGE := base-node`
_ASSIGNED = re.compile(
    r"^\s*(?:export\s+|readonly\s+|local\s+)?(\w+)\s*[:?]?=\s*[\"']?([\w./:@-]+)[\"']?\s*;?\s*(?:#.*)?$", re.M
)
# `for name in node python; do`
_LOOP = re.compile(r"\bfor\s+(\w+)\s+in\s+([^;\n$]+?)\s*(?:;|$)", re.M)
# `$TAG`, `${TAG:-latest}`, `$(TAG)` of make
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|\((\w+)\)|(\w+))")
# Options with a value; all others have none, or have it after a `=`.
_WITH_VALUE = {
    *("-t", "--tag", "-f", "--file", "--target", "--build-arg", "--build-context", "--label", "--platform"),
    *("--secret", "--ssh", "--cache-from", "--cache-to", "-o", "--output", "--progress", "--network", "--builder"),
    *("--add-host", "--shm-size", "--ulimit", "--iidfile", "--metadata-file", "-m", "--memory", "--cgroup-parent"),
    *("--allow", "--annotation", "--attest", "--provenance", "--sbom", "--no-cache-filter", "--isolation"),
}


@dataclass(frozen=True)
class BuildCommand:
    """One line. `context` and `dockerfile` are paths from the project's folder; `place` is `FILE:LINE`."""

    tags: tuple[str, ...]
    context: str
    dockerfile: str
    place: str
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def made(self) -> tuple[object, ...]:
        """Equal for two commands that make the same image."""
        return self.context, self.dockerfile, self.target, tuple(sorted(self.args.items()))


def find_build_commands(root: Path) -> tuple[BuildCommand, ...]:
    """All commands whose tag, folder and Dockerfile are known and exist, in path order."""
    return tuple(command for path in _files(root) for command in _read(root, path))


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        path = Path(folder)
        parts = path.relative_to(root).parts
        is_ci = bool(parts) and parts[0] in HIDDEN_CI
        folders[:] = sorted(
            one for one in folders if one not in PASSED_OVER and (not one.startswith(".") or one in HIDDEN_CI)
        )
        if len(parts) >= DEEPEST_FOLDER:
            folders.clear()
        yield from (path / file for file in sorted(files) if _NAMES.match(file) or (is_ci and _CI_YAML.search(file)))


def _read(root: Path, path: Path) -> Iterator[BuildCommand]:
    try:
        data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
    except OSError:
        return
    if not _MENTIONED.search(data):
        return
    text = data.decode("utf-8", errors="replace")
    # All of them mean the folder of the call; `_placed` tries the likely ones.
    text = _FOLDER_OF_CALL.sub(".", text)
    assigned = dict(_ASSIGNED.findall(text))
    loops = {name: words.split() for name, words in _LOOP.findall(text)}
    for number, line in _lines(path, text):
        for match in _COMMAND.finditer(line):
            before = (one.strip("\"'") for one in _CHANGED_FOLDER.findall(line[: match.start()]))
            moved = "/".join(before) or "."
            # A command in a loop builds one image for each of its words.
            used = [name for name in loops if re.search(rf"\$\{{?{name}\b", line)]
            for values in product(*(loops[name] for name in used)):
                reading = _Line(root, path, number, {**assigned, **dict(zip(used, values, strict=True))})
                if command := reading.command(match["rest"], moved):
                    yield command


def _lines(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """(first line number, text) of every command; lines continued by a backslash are joined."""
    if path.name == "package.json":
        yield from _scripts(text)
        return
    parts: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        parts.append(line.rstrip("\\").strip() if line.endswith("\\") else line.strip())
        if not line.endswith("\\"):
            yield number - len(parts) + 1, " ".join(parts)
            parts = []


def _scripts(text: str) -> Iterator[tuple[int, str]]:
    try:
        scripts = json.loads(text).get("scripts") or {}
    except (ValueError, AttributeError):
        return
    for name, script in scripts.items() if isinstance(scripts, dict) else ():
        number = next((index for index, line in enumerate(text.splitlines(), 1) if f'"{name}"' in line), 1)
        yield number, str(script)


@dataclass(frozen=True)
class _Line:
    root: Path
    path: Path
    number: int
    values: Mapping[str, str]

    def command(self, rest: str, moved: str) -> BuildCommand | None:
        """The command; None when what it builds is unclear or missing."""
        options, paths = _parsed(rest)
        filled = {name: [self._filled(value) for value in values] for name, values in options.items()}
        tags = [tag for name in ("-t", "--tag") for tag in filled.get(name, ())]
        context = self._filled(paths[0]) if len(paths) == 1 else None
        folder = self._filled(moved)
        needed = [*tags, *filled.get("-f", ()), *filled.get("--file", ()), context, folder]
        # What comes from a URL or from standard input is not made from this tree.
        if not tags or any(value is None for value in needed) or "://" in str(context) or context == "-":
            return None
        file = next(iter([*filled.get("-f", ()), *filled.get("--file", ())]), None)
        placed = self._placed(str(folder), str(context), file)
        args = dict(str(pair).partition("=")[::2] for pair in filled.get("--build-arg", ()) if pair and "=" in pair)
        target = next(iter(filled.get("--target", ())), "") or ""
        place = f"{self.path.relative_to(self.root)}:{self.number}"
        return BuildCommand(tuple(map(str, tags)), *placed, place, target, args) if placed else None

    def _placed(self, moved: str, context: str, file: str | None) -> tuple[str, str] | None:
        # The line was written for the project's folder, or for that of its script.
        for start in dict.fromkeys((self.root, self.path.parent)):
            folder = Path(os.path.normpath(start / moved / context))
            dockerfile = Path(os.path.normpath(start / moved / file)) if file else folder / "Dockerfile"
            if folder.is_dir() and dockerfile.is_file():
                return os.path.relpath(folder, self.root), os.path.relpath(dockerfile, folder)
        return None

    def _filled(self, word: str) -> str | None:
        """The word with its variables, None when one is unknown."""
        names = [match[1] or match[3] or match[4] for match in _VARIABLE.finditer(word) if match[2] is None]
        # In documentation `<name>` stands for something that the reader fills in.
        if any(name not in self.values for name in names) or "$(" in _VARIABLE.sub("", word) or "<" in word:
            return None
        return _VARIABLE.sub(lambda one: self.values.get(one[1] or one[3] or one[4] or "", one[2] or ""), word)


def _parsed(rest: str) -> tuple[dict[str, list[str]], list[str]]:
    """(option → its values, other words) of the words after `docker build`, up to the end of that command."""
    options: dict[str, list[str]] = {}
    paths: list[str] = []
    words = _words(rest)
    while words:
        word = words.pop(0)
        name, sign, value = word.partition("=")
        if not word.startswith("-") or word == "-":
            paths.append(word)
        elif sign:
            options.setdefault(name, []).append(value)
        elif name in _WITH_VALUE:
            options.setdefault(name, []).append(words.pop(0) if words else "")
    return options, paths


def _words(rest: str) -> list[str]:
    # A code span of Markdown, a quoted value of YAML or JSON ends with its own sign.
    text = rest.split("`", maxsplit=1)[0]
    for candidate in (text, text.rstrip().rstrip("\"',")):
        lexer = shlex.shlex(candidate, posix=True, punctuation_chars=";&|<>")
        lexer.whitespace_split = True
        try:
            found = list(lexer)
        except ValueError:
            continue
        end = next((index for index, word in enumerate(found) if set(word) <= set(";&|<>")), len(found))
        return found[:end]
    return []
