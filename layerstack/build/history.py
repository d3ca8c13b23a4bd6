"""The history of builds and rebuilds: one JSON line each in `history.jsonl` of the state folder."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from layerstack import command
from layerstack.build.record import BuildRecord, ImageRecord, LoggedBuild, StepRecord
from layerstack.build.step_text import instruction_of, one_line
from layerstack.state_folder import append_line, read_text, shared_folder, state_folder

HISTORY_FILE = "history.jsonl"
KEPT_STEP_CHARACTERS = 100
KEPT_TEXT_CHARACTERS = 60
# About a thousand builds; every build reads them for its estimate.
MOST_BYTES = 8_000_000


def append(root: Path, kind: str, record: Mapping[str, Any], commit: Mapping[str, Any] | None = None) -> None:
    """Append one line."""
    made_at = read_commit(root) if commit is None else commit
    line = json.dumps({"kind": kind, "time": round(time.time(), 3), **made_at, **record})
    append_line(state_folder(root) / HISTORY_FILE, line, MOST_BYTES)


def read(root: Path, kind: str = "") -> Iterator[dict[str, Any]]:
    """All records, oldest first; lines that are not JSON are passed over."""
    yield from _read(state_folder(root) / HISTORY_FILE, kind)


def _read(path: Path, kind: str) -> Iterator[dict[str, Any]]:
    for line in (read_text(path) or "").split("\n"):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            # A damaged line may even be nested too deeply for the parser.
            continue
        if isinstance(record, dict) and (not kind or record.get("kind") == kind):
            yield record


def append_build(root: Path, record: BuildRecord, commit: Mapping[str, Any] | None = None) -> None:
    """Add a build; `place` tells where a long instruction stands in full."""
    document = msgspec.to_builtins(msgspec.structs.replace(record, images=tuple(map(_compact, record.images))))
    append(root, "build", document, commit)


def read_builds(root: Path) -> Iterator[LoggedBuild]:
    """The builds, oldest first; a line of another version, or a damaged one, is passed over."""
    return _builds(read(root, "build"))


def read_all_builds() -> Iterator[LoggedBuild]:
    """Those of all projects of this user."""
    for path in sorted(shared_folder().glob(f"*/{HISTORY_FILE}")):
        yield from _builds(_read(path, "build"))


def _builds(lines: Iterable[dict[str, Any]]) -> Iterator[LoggedBuild]:
    for line in lines:
        try:
            yield msgspec.convert(line, LoggedBuild)
        except msgspec.ValidationError:
            continue


def _compact(image: ImageRecord) -> ImageRecord:
    return msgspec.structs.replace(image, steps=tuple(map(_compact_step, image.steps)))


def _compact_step(step: StepRecord) -> StepRecord:
    """The step with a short name; `text` then holds what follows its mounts."""
    name = one_line(step.step)
    if len(name) <= KEPT_STEP_CHARACTERS:
        return msgspec.structs.replace(step, step=name)
    short_name = f"{name[: KEPT_STEP_CHARACTERS - 1]}…"
    return msgspec.structs.replace(step, step=short_name, text=instruction_of(name)[:KEPT_TEXT_CHARACTERS])


def read_commit(root: Path) -> dict[str, Any]:
    """The commit, and whether the tree differs from it; {} outside a git checkout."""
    try:
        head = command.run(("git", "rev-parse", "--short", "HEAD"), cwd=root, timeout_seconds=5)
        if not head.ok:
            return {}
        changes = command.run(("git", "status", "--porcelain", "--untracked-files=no"), cwd=root, timeout_seconds=5)
    except Exception:  # git is not needed to build
        return {}
    return {"commit": head.stdout.strip(), "dirty": bool(changes.stdout.strip())}
