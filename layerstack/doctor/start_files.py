"""The files of an image that its start command may refer to."""

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# `package.module`
_MODULE = re.compile(r"[A-Za-z_][\w.]*")
_SHELLS = ("sh", "bash", "ash", "dash")


def start_files(config: Mapping[str, Any], definition: Mapping[str, Any]) -> tuple[str, ...]:
    """Absolute paths that the command may refer to, of the service, else of the image; they need not exist."""
    folder = str(definition.get("working_dir") or config.get("WorkingDir") or "/")
    words = [*_words(config, definition)]
    search = next((one[5:] for one in config.get("Env") or () if one.startswith("PATH=")), "")
    found = [path for word in words[:1] for path in _program(word, folder, search)]
    for word, before in zip(words[1:], words, strict=False):
        found += _module(word, folder) if before == "-m" else [*_path(word, folder), *_application(word, folder)]
    return tuple(dict.fromkeys(found))


def _words(config: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[str]:
    """Entrypoint and command; the words of a shell command line are split."""
    entrypoint = _list(definition.get("entrypoint"))
    command = _list(definition.get("command"))
    # An entrypoint of the Compose file also takes away the command of the image.
    if entrypoint is None:
        entrypoint = _list(config.get("Entrypoint")) or []
        command = _list(config.get("Cmd")) or [] if command is None else command
    every = [*entrypoint, *(command or [])]
    # `sh -c "exec node server.js"`, `/bin/bash -lc "…"`
    if len(every) > 2 and posixpath.basename(every[0]) in _SHELLS and every[1].startswith("-"):
        every = [*_split(every[2]), *every[3:]]
    yield from (word for word in every if word)


def _list(value: Any) -> list[str] | None:
    if value is None:
        return None
    return _split(value) if isinstance(value, str) else [str(one) for one in value]


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        # A quote that is never closed: the shell would refuse it, too.
        return text.split()


def _program(word: str, folder: str, search: str) -> Iterator[str]:
    if "/" in word:
        yield _absolute(folder, word)
    else:
        # Which of them has it is not known here: all are asked for.
        yield from (_absolute(place, word) for place in search.split(":") if place)


def _path(word: str, folder: str) -> Iterator[str]:
    # `--config=/app/gunicorn.conf.py`
    value = word.partition("=")[2] if word.startswith("-") else word
    if value and not value.startswith("-"):
        yield _absolute(folder, value)


def _module(word: str, folder: str) -> Sequence[str]:
    name = word.replace(".", "/")
    return [_absolute(folder, f"{name}{end}") for end in (".py", "/__main__.py", "/__init__.py")]


def _application(word: str, folder: str) -> Sequence[str]:
    """`package.module:application`, as gunicorn and uvicorn take it."""
    name, sign, _ = word.partition(":")
    return _module(name, folder) if sign and _MODULE.fullmatch(name) else ()


def _absolute(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join("/", folder, path))
