"""The example from which a missing `.env` can be copied."""

import re
from pathlib import Path

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


def _words(name: str) -> frozenset[str]:
    return frozenset(filter(None, _BREAK.split(name.lower())))
