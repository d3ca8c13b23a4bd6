"""What bake and Compose said about unchanged files, kept so that a build of nothing need not start them.

An answer counts only for the same command, the same environment and the same content of every file that was read.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from layerstack.memory_folder import memory_folder
from layerstack.state_folder import read_json, write_json

MOST_KEPT = 16
ENV_FILE = ".env"
# Keys of a Compose file that pull in files whose content we do not see.
_REACHES_FURTHER = re.compile(rb"\b(include|extends|env_file|label_file)[\"']?\s*:")
# Variables that change from shell to shell and that no Compose or bake file has a use for.
_PASSING = {"_", "SHLVL", "OLDPWD", "PWD", "COLUMNS", "LINES", "PYTEST_CURRENT_TEST"}


def key_of(root: Path, argv: Sequence[str], environment: Mapping[str, str], files: Iterable[Path]) -> str:
    """What an answer depends on, as one digest; empty when it depends on more than we can see."""
    digest = hashlib.sha256()
    variables = {name: value for name, value in {**os.environ, **environment}.items() if name not in _PASSING}
    digest.update(json.dumps([str(root), list(argv), sorted(variables.items())]).encode())
    for path in (*files, root / ENV_FILE):
        try:
            content = path.read_bytes()
        except OSError:
            content = b"(none)"
        if _REACHES_FURTHER.search(content):
            return ""
        digest.update(f"\0{path}\0{len(content)}\0".encode(errors="surrogateescape") + content)
    return digest.hexdigest()


def recall(root: Path, key: str) -> str | None:
    """The kept answer; None when there is none or the store cannot be read."""
    return _read(root).get(key) if key else None


def keep(root: Path, key: str, answer: str) -> None:
    """Keep one answer; the oldest ones go. A machine without a place in memory keeps nothing."""
    if not key:
        return
    kept = {**{name: text for name, text in _read(root).items() if name != key}, key: answer}
    if path := _path(root):
        write_json(path, kept, MOST_KEPT)


def _read(root: Path) -> dict[str, str]:
    path = _path(root)
    return {key: str(text) for key, text in read_json(path).items()} if path else {}


def _path(root: Path) -> Path | None:
    """What Compose resolved holds the passwords of the environment: it is kept in memory or nowhere."""
    folder = memory_folder(root)
    return folder / "answers.json" if folder else None
