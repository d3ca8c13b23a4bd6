"""Settings that a program cannot read: the file and line that it names, or the one whose text is broken."""

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from os.path import relpath
from pathlib import Path

from layerstack.verify.evidence import Evidence
from layerstack.verify.fault import Fault, Rule
from layerstack.verify.http_check import short
from layerstack.verify.own_file import contexts, find_own, renewal

# `nginx.conf:12`, `"postgresql.conf" line 5`, `[haproxy.cfg:12]`, `in "app.yaml", line 3`.
PLACE = re.compile(r"(?P<path>/[\w.@+-]+(?:/[\w.@+-]+)*)[\"']?(?::|,? line )(?P<line>\d+)")
# Where a program came by, and the languages whose own errors tell of code.
STACK = re.compile(
    r"^\s*(?:File \"|at )"
    r"|\.(?:py|[mc]?[jt]sx?|vue|rb|go|rs|java|kt|scala|php|sh|p[lm]|exs?|erl|cs|c|cpp|lua|hs|clj|dart|swift)\b"
)
NO_JSON = re.compile(r"\bJSON(?:DecodeError)?\b")
NO_HOST = re.compile(r"host not found in upstream \"(?P<host>[\w.-]+)")
SHOWN_LINES = 5
MOST_FILES = 50


def settings_broken(seen: Evidence) -> Fault | None:
    """A program that has ended over a file of settings, and says where in it."""
    if not seen.last_exit or not seen.last_error:
        return None
    for text in (one for one in reversed(seen.log[-SHOWN_LINES:]) if not STACK.search(one)):
        for match in PLACE.finditer(text):
            if file := find_own(seen, match["path"]):
                return _named(seen, file, match["line"], text)
    return _broken_json(seen) if NO_JSON.search(seen.last_error) else None


def _named(seen: Evidence, file: Path, line: str, text: str) -> Fault | None:
    place = f"{relpath(file, seen.project.root)}:{line}"
    hint = ""
    if missing := NO_HOST.search(text):
        host = missing["host"].partition(":")[0]
        if host in seen.hosts:
            return None  # it is not up, which is a fault of its own
        near = get_close_matches(host, sorted(seen.hosts), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
    return Fault(
        "settings-broken", f"cannot take its settings: {short(text)}{hint}", renewal(seen, file), f"correct {place}"
    )


def _broken_json(seen: Evidence) -> Fault | None:
    """The program does not say which file: the only one that is no JSON."""
    broken = [(file, problem) for file in _json_files(seen) if (problem := _problem(file))]
    if len(broken) != 1:
        return None
    file, problem = broken[0]
    place = f"{relpath(file, seen.project.root)}:{problem.lineno}"
    words = f"cannot read its settings: {place} is no JSON ({problem.msg})"
    return Fault("settings-broken", words, renewal(seen, file), f"correct {place}")


def _problem(file: Path) -> json.JSONDecodeError | None:
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as problem:
        return problem
    except (OSError, ValueError):
        pass
    return None


def _json_files(seen: Evidence) -> Iterator[Path]:
    """Those that are mounted, and those beside the Dockerfile."""
    mounts = seen.container.mounts if seen.container else ()
    sources = [Path(mount.source) for mount in mounts if mount.kind == "bind"]
    for source in (*sources, *contexts(seen)):
        if source.is_file():
            yield from [source] if source.suffix == ".json" else []
        elif source.is_dir():
            yield from sorted(source.glob("*.json"))[:MOST_FILES]


RULES: tuple[Rule, ...] = (settings_broken,)
