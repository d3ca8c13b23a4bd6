"""The example from which a missing `.env` can be copied."""

import re
import shlex
from pathlib import Path

from layerstack.project.env_file import read_env_file

MARKS = frozenset(("example", "sample", "template", "tmpl", "dist", "default", "defaults"))
_BREAK = re.compile(r"[._-]+")


def find_example(path: Path) -> Path | None:
    """For `.env` the first of `.env.example`, `env.sample`, `template.env` and the like; None where `path` exists."""
    if path.exists() or not path.parent.is_dir():
        return None
    # `.env.local.example` is the example of `.env.local`, not of `.env`.
    wanted = _words(path.name)
    fitting = (one for one in path.parent.iterdir() if _words(one.name) & MARKS and _words(one.name) - MARKS == wanted)
    return min(
        (one for one in fitting if one.is_file()), key=lambda one: ("example" not in one.name, one.name), default=None
    )


def copy_that_sets(root: Path, name: str) -> str:
    """The command that makes the `.env` which sets a variable, "" where no example does."""
    example = find_example(root / ".env")
    if example is None or not read_env_file(example).values.get(name):
        return ""
    return f"`cp {shlex.quote(example.name)} .env`, which sets {name}"


def _words(name: str) -> frozenset[str]:
    return frozenset(filter(None, _BREAK.split(name.lower())))
