"""Faults of files and disks that a service tells of: a full disk, a volume that it may not write to, a missing file."""

import re

from layerstack.engine.container import Mount
from layerstack.project.declaration import find_text
from layerstack.verify.evidence import Evidence
from layerstack.verify.fault import Fault, Rule

DISK_FULL = re.compile(r"no space left on device|ENOSPC|disk (?:is )?full|disk quota exceeded", re.IGNORECASE)
UNWRITABLE = re.compile(
    r"permission denied|EACCES|EROFS|read-only (?:file ?system|directory)|not writable|operation not permitted",
    re.IGNORECASE,
)
NO_FILE = re.compile(
    r"no such file|does not exist|is missing|ENOENT|FileNotFound|(?:cannot|can't|could not) (?:open|find)",
    re.IGNORECASE,
)
PATH = re.compile(r"(?<![\w:/.])(/[\w.@+-]+(?:/[\w.@+-]+)+)")


def disk_full(seen: Evidence) -> Fault | None:
    if not seen.line_with(DISK_FULL):
        return None
    mount = _mount_named(seen, DISK_FULL)
    where = f"{mount.words} is full" if mount else "the disk that it writes to is full"
    if mount is None or mount.kind != "volume":
        return Fault("disk-full", where, "invoke clean && invoke up")
    change = f"free space in the volume {mount.source}, or give it more than its size in the Compose file"
    return Fault("disk-full", where, "invoke up", change)


def unwritable(seen: Evidence) -> Fault | None:
    if not seen.line_with(UNWRITABLE):
        return None
    mount = _mount_named(seen, UNWRITABLE)
    if mount is None:
        return None
    if not mount.is_writable:
        where = find_text(seen.project, seen.name, "volumes", mount.target)
        change = f"remove `ro` or `read_only` from {where.place if where else f'the volumes of {seen.name}'}"
        return Fault("volume-unwritable", f"{mount.words} is mounted read-only", f"invoke up {seen.name}", change)
    user = seen.container.user if seen.container else ""
    cause = f"is not allowed to write to {mount.words}{f' as the user {user}' if user else ''}"
    own = f"docker compose run --rm --no-deps --user root --entrypoint chown {seen.name} -R {user or 'root'}"
    return Fault("volume-unwritable", cause, f"{own} {mount.target} && invoke up")


def file_missing(seen: Evidence) -> Fault | None:
    """A file that the program wants and that is not there; a mount over its place is named."""
    for line in seen.last_words:
        for path in PATH.findall(line) if NO_FILE.search(line) else ():
            if mount := seen.mount_at(path):
                where = find_text(seen.project, seen.name, "volumes", mount.target)
                words = f"the file {path} is missing: {mount.words} hides what the image has there"
                change = f"remove the mount: {where.place if where else f'the volumes of {seen.name}'}"
                return Fault("file-missing", words, f"invoke up {seen.name}", change)
            if not path.startswith(("/proc", "/sys", "/dev", "/api")):
                words = f"the file {path} is missing in its image"
                return Fault("file-missing", words, f"invoke build {seen.name} --force && invoke up")
    return None


def _mount_named(seen: Evidence, pattern: "re.Pattern[str]") -> Mount | None:
    """The mount that the complaint names a path of; else the only one that can be meant."""
    for line in seen.lines_with(pattern):
        for path in PATH.findall(line):
            if mount := seen.mount_at(path):
                return mount
    mounts = seen.container.mounts if seen.container else ()
    volumes = [one for one in mounts if one.kind in ("volume", "tmpfs") and not one.is_anonymous]
    return volumes[0] if len(volumes) == 1 else None


RULES: tuple[Rule, ...] = (disk_full, unwritable, file_missing)
