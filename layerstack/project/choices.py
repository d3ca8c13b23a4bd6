"""The choices of `setup` for this machine, written where the engines read them.

Compose reads a marked block in `.env`, bake reads `docker-bake.override.json`. Lines that a user wrote into `.env`
outside the block win, for both. Environment variables take precedence over both, as in the engines.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from layerstack.errors import UsageError
from layerstack.project.env_file import parse_env_file

ENV_FILE = ".env"
ENV_EXAMPLE = ".env.example"
BAKE_FILE = "docker-bake.override.json"
BLOCK_START = "# >>> chosen by `invoke setup` for this machine; your own lines outside this block win"
BLOCK_END = "# <<< chosen by `invoke setup`"
BLOCK = re.compile(rf"^{re.escape(BLOCK_START)}\r?\n(.*?)^{re.escape(BLOCK_END)}\r?\n?", re.MULTILINE | re.DOTALL)
# `export NODE_IMAGE = node:22`
ASSIGNED = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*[=:]", re.MULTILINE)
# `docker.io/library/node:22-alpine`
PLAIN_VALUE = re.compile(r"[\w./:@%+,-]*")
# Variables of Compose itself mean nothing to bake; the project's name may be in its tags.
COMPOSE_ONLY = re.compile(r"COMPOSE_(?!PROJECT_NAME$)\w+")


def read(root: Path) -> dict[str, str]:
    """Every remembered name with its effective value: the user's own line in `.env`, else the chosen one."""
    chosen = {**_bake_defaults(_read_bake(root)), **_block_values(_read_env(root))}
    own = _own_values(_read_env(root))
    return {name: own.get(name, value) for name, value in chosen.items()}


def chosen(root: Path) -> dict[str, str]:
    """The values in the block of `setup` in `.env`, without names that the user's own lines set."""
    text = _read_env(root)
    own = _own_values(text)
    return {name: value for name, value in _block_values(text).items() if name not in own}


def own_values(root: Path) -> dict[str, str]:
    """The values of the user's own lines in `.env`, or of the example that it will be copied from."""
    return _own_values(_read_env(root))


def comment_out(root: Path, names: Collection[str]) -> None:
    """Comment out the user's own lines that set these names."""
    if not names:
        return
    text = _read_env(root)
    block = BLOCK.search(text)
    start, end = block.span() if block else (len(text), len(text))
    before, after = (_commented(part, names) for part in (text[:start], text[end:]))
    _replace(root / ENV_FILE, before + text[start:end] + after)


def refresh(root: Path) -> None:
    """Adopt later edits of `.env`: the user's lines leave the block, and reach bake."""
    known = _bake_defaults(_read_bake(root))
    remember(root, {name: value for name, value in read(root).items() if name in known})


def remember(root: Path, changes: Mapping[str, str | None], reaches_bake: bool = True) -> dict[str, str]:
    """Set names to values, or forget them (None), in both files; a file whose text stays the same is not written.

    Without `reaches_bake` in `.env` alone, for what no image depends on. Returns the names that the user's own lines in
    `.env` keep at another value, with that value. Raises UsageError when a value cannot be written or
    `docker-bake.override.json` is not JSON.
    """
    text = _read_env(root)
    own = _own_values(text)
    _write_env(root, text, {**_block_values(text), **changes}, own)
    if reaches_bake:
        known = {name: own.get(name, value) if value is not None else None for name, value in changes.items()}
        _write_bake(root, known)
    return {name: own[name] for name, value in changes.items() if value is not None and own.get(name, value) != value}


def _write_env(root: Path, text: str, wanted: Mapping[str, str | None], own: Mapping[str, str]) -> None:
    lines = [
        _assignment(name, value) for name, value in sorted(wanted.items()) if value is not None and name not in own
    ]
    block = "\n".join((BLOCK_START, *lines, BLOCK_END)) + "\n" if lines else ""
    if BLOCK.search(text):
        # A function, because backslashes in a replacement text would be read as escapes.
        changed = BLOCK.sub(lambda _match: block, text, count=1)
    else:
        # Without it the first line of the block would continue the user's last one.
        separator = "\n" if block and text and not text.endswith("\n") else ""
        changed = text + separator + block
    if changed != text:
        _replace(root / ENV_FILE, changed)


def _write_bake(root: Path, changes: Mapping[str, str | None]) -> None:
    document = _read_bake(root)
    before = json.dumps(document)
    variables = document.setdefault("variable", {})
    for name, value in changes.items():
        if COMPOSE_ONLY.fullmatch(name):
            continue
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = {"default": value}
    if not variables:
        del document["variable"]
    if json.dumps(document) == before:
        return
    if document:
        _replace(root / BAKE_FILE, json.dumps(document, indent=2) + "\n")
    else:
        (root / BAKE_FILE).unlink(missing_ok=True)


def _read_env(root: Path) -> str:
    """The text of `.env`, or of the example that it will be copied from."""
    for name in (ENV_FILE, ENV_EXAMPLE):
        file = root / name
        if file.is_file():
            # The file is the user's: line ends of Windows and bytes that are not UTF-8 have to survive, so it is not
            # read as text.
            return file.read_bytes().decode("utf-8", errors="surrogateescape")
    return ""


def _read_bake(root: Path) -> dict[str, Any]:
    file = root / BAKE_FILE
    if not file.is_file():
        return {}
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{file} is not JSON: {error}", "Correct or delete it.") from error
    if not isinstance(document, dict):
        raise UsageError(f"{file} holds no JSON object.", "Correct or delete it.")
    return document


def _bake_defaults(document: Mapping[str, Any]) -> dict[str, str]:
    variables = document.get("variable") or {}
    defaults = {name: value.get("default") for name, value in variables.items() if isinstance(value, dict)}
    return {name: default for name, default in defaults.items() if isinstance(default, str)}


def _block_values(text: str) -> dict[str, str]:
    match = BLOCK.search(text)
    return parse_env_file(ENV_FILE, match[1]).values if match else {}


def _own_values(text: str) -> dict[str, str]:
    """The values in the user's own lines; an empty one counts as unset, as in `${NAME:-default}`."""
    own = parse_env_file(ENV_FILE, BLOCK.sub("", text, count=1))
    # With variables filled in: bake would look for its own variables of these names.
    return {name: value for name, value in own.resolved(os.environ).items() if value}


def _assignment(name: str, value: str) -> str:
    if PLAIN_VALUE.fullmatch(value):
        return f"{name}={value}"
    # Compose reads a quote after a backslash as part of the value.
    if re.search(r"['\n\r]|\\$", value):
        raise UsageError(
            f"{name} cannot be remembered: its value holds a quote or a line break, or ends in a backslash."
        )
    # In single quotes, because Compose expands a dollar in any other value.
    return f"{name}='{value}'"


def _commented(text: str, names: Collection[str]) -> str:
    return ASSIGNED.sub(lambda match: f"# {match[0].lstrip()}" if match[1] in names else match[0], text)


def _replace(file: Path, text: str) -> None:
    """Write a file atomically, through a link if it is one, keeping its mode."""
    target = file.resolve()
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8", errors="surrogateescape"))
        if target.exists():
            shutil.copymode(target, temporary)
        else:
            # `mkstemp` creates files that only their owner can read.
            Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    # Also after Ctrl-C.
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
