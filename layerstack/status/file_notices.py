"""Which files the kernel gives a container's programs notice of, by inotify: those that a watcher can see saved."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from layerstack.engine.client import EngineClient
from layerstack.engine.inside import run_inside
from layerstack.errors import StackError
from layerstack.status.mounted_files import WrittenFile

ASK_SECONDS = 5.0
# One line a watch: `inotify wd:1 ino:2c4a1 sdev:fe00000 mask:…`, numbers in hexadecimal.
READ = ("sh", "-c", "cat /proc/[0-9]*/fdinfo/* 2>/dev/null | grep ^inotify || true")
WATCH = re.compile(r"^inotify .*\bino:([0-9a-f]+)", re.MULTILINE)


def find_missed(client: EngineClient, container_id: str, files: Sequence[WrittenFile]) -> list[WrittenFile]:
    """Those of the files that no program of the container is given notice of: neither of the file nor of its folder.

    All of them where the container does not answer.
    """
    try:
        output = run_inside(client, container_id, READ, ASK_SECONDS).output
    except (StackError, TimeoutError, OSError):
        return list(files)
    watched = {int(number, 16) for number in WATCH.findall(output)}
    return [one for one in files if not watched & set(_inodes((one.path, one.path.parent)))]


def _inodes(paths: Iterable[Path]) -> Iterable[int]:
    for path in paths:
        try:
            yield path.stat().st_ino
        except OSError:
            continue
