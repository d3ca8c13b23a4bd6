"""Builds and rebuilds over time: one JSON line each in `.layerstack/history.jsonl`."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from layerstack import command

STATE_FOLDER = ".layerstack"


def state_folder(root: Path) -> Path:
    """The project's git-ignored state folder, made when needed."""
    folder = root / STATE_FOLDER
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return folder


def write_atomically(path: Path, text: str) -> None:
    """Replace a file so that a reader sees the old or the new text, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


def append(root: Path, kind: str, record: Mapping[str, Any]) -> None:
    """Add one line; a lock keeps two builds from mixing theirs."""
    from filelock import FileLock

    folder = state_folder(root)
    line = json.dumps({"kind": kind, "time": round(time.time(), 3), **_commit(root), **record})
    with FileLock(folder / "history.lock"), (folder / "history.jsonl").open("a") as file:
        file.write(line + "\n")


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


def usual_seconds(root: Path, images: tuple[str, ...]) -> dict[str, float]:
    """Median seconds of the last five builds in which an image had executed steps."""
    seen: dict[str, list[float]] = {}
    for record in read(root, "build"):
        for image in record.get("images") or ():
            if image.get("action") == "built" and image.get("image") in images:
                seen.setdefault(image["image"], []).append(float(image.get("seconds", 0)))
    return {name: median(values[-5:]) for name, values in seen.items()}


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
