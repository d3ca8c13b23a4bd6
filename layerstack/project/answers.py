"""Answers of Compose and bake about unchanged files, kept so that a build with nothing to do starts neither.

An answer counts only for the same calls, the same environment, the same programs and the same content of every file
that went into it. One that holds a password, or that bake would answer differently the next time, is not kept.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from layerstack.docker_plugin import PLUGINS, config_file, plugin_files
from layerstack.secret_text import PASSWORD_IN_URL, SECRET_NAME
from layerstack.state_folder import keep_newest, read_text, state_folder, write_atomically

MOST_KEPT = 16
# Raised when what is asked, or how an answer is read, changes: older answers then count no more.
FORMAT = 3
# Variables that change from shell to shell and that no Compose or bake file has a use for.
_PASSING = {"_", "SHLVL", "OLDPWD", "COLUMNS", "LINES", "PYTEST_CURRENT_TEST"}
# Functions of bake's HCL that give another value at every call.
_EVER_NEW = re.compile(rb"\b(timestamp|uuidv4|bcrypt)\s*\(")
# A shorter value than this is found in many texts by chance.
SHORTEST_SECRET = 4


def key_of(root: Path, calls: Sequence[Sequence[str]], environment: Mapping[str, str]) -> str:
    """The digest of a question: the programs, the environment, the calls."""
    variables = {name: value for name, value in {**os.environ, **environment}.items() if name not in _PASSING}
    asked = [FORMAT, str(root), [list(call) for call in calls], sorted(variables.items()), list(_program_marks())]
    return hashlib.sha256(json.dumps(asked).encode(errors="surrogateescape")).hexdigest()


def recall(root: Path, key: str) -> Any:
    """The kept answer while all its files are unchanged; None for none, or when the store is unreadable."""
    try:
        record = json.loads(read_text(_path(root, key)) or "")
        files: dict[str, str] = record["files"]
        is_same = all(_digest(Path(path)) == digest for path, digest in files.items())
        return record["answer"] if is_same else None
    # A damaged record counts as none, also one that is nested too deeply for the parser.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def digests_of(files: Iterable[Path]) -> dict[str, str]:
    """What an answer depends on, to be read before it is asked for: a file that is saved meanwhile makes it old."""
    return {str(path): _digest(path) for path in (*files, config_file())}


def keep(root: Path, key: str, files: Mapping[str, str], answer: Any, variables: Mapping[str, str]) -> None:
    """Keep one answer about files of these digests; the oldest ones go. A folder that cannot be written keeps nothing.

    `variables` are those that were filled in: one with a password among them may be part of the answer.
    """
    # Only bake files call functions; in one of JSON they stand inside `${…}`.
    if any(_EVER_NEW.search(_content(Path(path))) for path in files if path.endswith((".hcl", ".json"))):
        return
    if holds_secret(answer, variables):
        return
    record = {"files": files, "answer": answer}
    path = _path(root, key)
    if write_atomically(path, json.dumps(record)):
        keep_newest(path.parent, MOST_KEPT)


def holds_secret(answer: Any, variables: Mapping[str, str]) -> bool:
    """Whether it contains a password: in a URL, under such a name, or as the value of such a variable."""
    secrets = {value for name, value in variables.items() if SECRET_NAME.search(name) and len(value) >= SHORTEST_SECRET}
    for name, text in _leaves("", answer):
        if text and (SECRET_NAME.search(name) or PASSWORD_IN_URL.search(text) or any(word in text for word in secrets)):
            return True
    return False


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """(key, text) of every text in it. `secret:` only names the source of a secret."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _leaves("" if key in ("secret", "secrets") else str(key), below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _leaves(name, below)
    elif isinstance(value, str):
        yield name, value


def _program_marks() -> Iterator[str]:
    """The plugins that answered: another version is asked again, as its version is part of the answer."""
    for path in (path for name in PLUGINS for path in plugin_files(name)):
        with suppress(OSError):
            state = path.stat()
            yield f"{path} {state.st_size} {state.st_mtime_ns}"


def _digest(path: Path) -> str:
    """The digest of the content; "" for a missing file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _path(root: Path, key: str) -> Path:
    return state_folder(root) / "answers" / f"{key[:32]}.json"
