"""Builds and rebuilds over time: one JSON line each in `.layerstack/history.jsonl`."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from layerstack import command
from layerstack.build.record import BuildRecord, ImageRecord, LoggedBuild, StepRecord
from layerstack.build.step_text import instruction_of, one_line
from layerstack.state_folder import STATE_FOLDER, state_folder, write_atomically

KEPT_STEP_CHARACTERS = 100
KEPT_TEXT_CHARACTERS = 60
# About a thousand builds; every build reads them for its estimate.
MOST_BYTES = 8_000_000


def append(root: Path, kind: str, record: Mapping[str, Any]) -> None:
    """Add one line; a lock keeps two builds from mixing theirs."""
    from filelock import FileLock

    folder = state_folder(root)
    line = json.dumps({"kind": kind, "time": round(time.time(), 3), **_commit(root), **record})
    with FileLock(folder / "history.lock"), (folder / "history.jsonl").open("a+b") as file:
        file.write((line if _ends_a_line(file) else "\n" + line).encode() + b"\n")
        file.flush()
        _forget_oldest(folder / "history.jsonl")


def read(root: Path, kind: str = "") -> Iterator[dict[str, Any]]:
    """All records, oldest first; lines that are not JSON are passed over."""
    path = root / STATE_FOLDER / "history.jsonl"
    if not path.is_file():
        return
    for line in path.read_text(errors="replace").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(record, dict) and (not kind or record.get("kind") == kind):
            yield record


def append_build(root: Path, record: BuildRecord) -> None:
    """Add a build; `place` tells where a long instruction stands in full."""
    document = msgspec.to_builtins(msgspec.structs.replace(record, images=tuple(map(_compact, record.images))))
    append(root, "build", document)


def read_builds(root: Path) -> Iterator[LoggedBuild]:
    """The builds, oldest first; a line of another version, or a damaged one, is passed over."""
    for line in read(root, "build"):
        try:
            yield msgspec.convert(line, LoggedBuild)
        except msgspec.ValidationError:
            continue


def _compact(image: ImageRecord) -> ImageRecord:
    return msgspec.structs.replace(image, steps=tuple(map(_compact_step, image.steps)))


def _compact_step(step: StepRecord) -> StepRecord:
    """A long name is cut; `text` then tells what comes after its mounts."""
    name = one_line(step.step)
    if len(name) <= KEPT_STEP_CHARACTERS:
        return msgspec.structs.replace(step, step=name)
    short_name = f"{name[: KEPT_STEP_CHARACTERS - 1]}…"
    return msgspec.structs.replace(step, step=short_name, text=instruction_of(name)[:KEPT_TEXT_CHARACTERS])


def _forget_oldest(path: Path) -> None:
    """Keep the newer half of a file that has grown too large."""
    if path.stat().st_size <= MOST_BYTES:
        return
    newer = path.read_bytes()[-MOST_BYTES // 2 :].partition(b"\n")[2]
    write_atomically(path, newer.decode(errors="replace"))


def _ends_a_line(file: IO[bytes]) -> bool:
    """False after a write that was cut off: what follows must not become part of it."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _commit(root: Path) -> dict[str, Any]:
    """The commit and whether the tree differs from it; nothing outside a git checkout."""
    try:
        head = command.run(("git", "rev-parse", "--short", "HEAD"), cwd=root, timeout_seconds=5)
        if not head.ok:
            return {}
        changes = command.run(("git", "status", "--porcelain", "--untracked-files=no"), cwd=root, timeout_seconds=5)
    except Exception:  # git is not needed to build
        return {}
    return {"commit": head.stdout.strip(), "dirty": bool(changes.stdout.strip())}
