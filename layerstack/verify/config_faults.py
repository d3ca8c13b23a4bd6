"""Settings that a program cannot read: the file and line that it names, or the one whose text is broken."""

import json
import re
from collections.abc import Iterator
from os.path import relpath
from pathlib import Path

from layerstack.run.fault import Fault
from layerstack.run.health import renew
from layerstack.run.own_file import contexts
from layerstack.verify.evidence import Evidence, Rule
from layerstack.verify.http_check import short
from layerstack.wording import nearest

# `/etc/nginx/nginx.conf:12`, `"/etc/postgresql.conf" line 5`, `in "/app/app.yaml", line 3`
PLACE = re.compile(r"(?P<path>/[\w.@+-]+(?:/[\w.@+-]+)*)[\"']?(?::|,? line:? )(?P<line>\d+)")
# A frame of a stack (of Ruby: `/app/config.ru:3:in 'run'`), or a source file: what is wrong there is no setting.
STACK = re.compile(
    r"^\s*(?:File \"|at )|:\d+:in [`']"
    r"|\.(?:py|[mc]?[jt]sx?|vue|rb|go|rs|java|kt|scala|php|sh|p[lm]|exs?|erl|cs|c|cpp|lua|hs|clj|dart|swift)\b"
)
NO_JSON = re.compile(r"\bJSON(?:DecodeError)?\b")
NO_HOST = re.compile(r"host not found in upstream \"(?P<host>[\w.-]+)")
SHOWN_LINES = 5
MERE_PLACE = 12
# A mounted folder may hold a data set instead of settings.
MOST_FILES = 50


def settings_broken(seen: Evidence) -> Fault | None:
    """A program that has ended over a file of settings, and says where in it."""
    if not seen.last_exit or not seen.last_error:
        return None
    for text in (one for one in reversed(seen.log[-SHOWN_LINES:]) if not STACK.search(one)):
        for match in PLACE.finditer(text):
            if seen.own_file(match["path"]):
                return _named(seen, match["path"], match["line"], text)
    return _broken_json(seen) if NO_JSON.search(seen.last_error) else None


def _named(seen: Evidence, path: str, line: str, text: str) -> Fault | None:
    place = f"{seen.own_name(path)}:{line}"
    # `file: '/etc/app.ini', line: 3` follows the error itself.
    said = text if len(PLACE.sub("", text)) > MERE_PLACE else f"{seen.last_error} ({place})"
    hint = ""
    if missing := NO_HOST.search(text):
        host = missing["host"].partition(":")[0]
        if host in seen.hosts:
            return None  # it is not up, which is a fault of its own
        near = nearest(host, sorted(seen.hosts))
        hint = f" (did you mean {near}?)" if near else ""
    return Fault(
        "settings-broken", f"cannot take its settings: {short(said)}{hint}", seen.renewal(path), f"correct {place}"
    )


def _broken_json(seen: Evidence) -> Fault | None:
    """The program does not say which file: the only one that is no JSON."""
    files = _json_files(seen)
    broken = [(file, is_mounted, problem) for file, is_mounted in files if (problem := _problem(file))]
    # Of several broken files nobody knows which one the program reads.
    if len(broken) != 1:
        return None
    file, is_mounted, problem = broken[0]
    place = f"{relpath(file, seen.project.root)}:{problem.lineno}"
    words = f"cannot read its settings: {place} is no JSON ({problem.msg})"
    return Fault("settings-broken", words, renew(seen.name, not is_mounted), f"correct {place}")


def _problem(file: Path) -> json.JSONDecodeError | None:
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as problem:
        return problem
    # What this user cannot read, or is no UTF-8, is no proof of broken JSON.
    except (OSError, ValueError):
        pass
    return None


def _json_files(seen: Evidence) -> Iterator[tuple[Path, bool]]:
    """Those that are mounted, and those beside the Dockerfile, which are not."""
    sources = [(Path(mount.source), True) for mount in seen.mounts if mount.kind == "bind"]
    for source, is_mounted in (*sources, *((folder, False) for folder in contexts(seen.project, seen.service))):
        files = sorted(source.glob("*.json"))[:MOST_FILES] if source.is_dir() else [source]
        yield from ((file, is_mounted) for file in files if file.suffix == ".json" and file.is_file())


RULES: tuple[Rule, ...] = (settings_broken,)
