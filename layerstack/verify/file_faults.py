"""Faults of files and disks that a service tells of: a full disk, a volume that it may not write to, a missing file."""

import re
import shlex
import stat
from os.path import relpath
from pathlib import Path, PurePosixPath

from layerstack.engine.container import Mount
from layerstack.project.declaration import find_text
from layerstack.verify.evidence import Evidence
from layerstack.verify.fault import Fault, Rule

DISK_FULL = re.compile(r"no space left on device|ENOSPC|disk (?:is )?full|disk quota exceeded", re.IGNORECASE)
UNWRITABLE = re.compile(
    r"permission denied|EACCES|EROFS|read-only (?:file ?system|directory)|not writable|operation not permitted",
    re.IGNORECASE,
)
DENIED = re.compile(r"permission denied|EACCES", re.IGNORECASE)
NO_FILE = re.compile(
    r"no such file|does not exist|is missing|ENOENT|FileNotFound|(?:cannot|can't|could not) (?:open|find)",
    re.IGNORECASE,
)
PATH = re.compile(r"(?<![\w:/.])(/[\w.@+-]+(?:/[\w.@+-]+)+)")


def disk_full(seen: Evidence) -> Fault | None:
    if not seen.line_with(DISK_FULL):
        return None
    in_memory = [one for one in (seen.container.mounts if seen.container else ()) if one.kind == "tmpfs"]
    mount = _mount_named(seen, DISK_FULL) or (in_memory[0] if len(in_memory) == 1 else None)
    where = f"{mount.words} is full" if mount else "the disk that it writes to is full"
    if mount is not None and mount.kind == "tmpfs":
        declared = find_text(seen.project, seen.name, "tmpfs", mount.target)
        change = f"give it more room (size=) in {declared.place if declared else f'the tmpfs of {seen.name}'}"
        return Fault("disk-full", where, f"invoke up {seen.name}", change)
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


def unreadable(seen: Evidence) -> Fault | None:
    """A mounted file or folder that only its owner may read, by its mode and not only by what the program says."""
    user = seen.container.user if seen.container else ""
    # What lies in a closed folder seems not to be there.
    denied = (text for text in (*seen.answers, *reversed(seen.log)) if DENIED.search(text) or NO_FILE.search(text))
    for path in (path for text in denied for path in PATH.findall(text)):
        mount = seen.mount_at(path)
        closed = _closed_part(mount, path, user) if mount and mount.kind == "bind" else None
        if closed:
            name, mode = relpath(closed, seen.project.root), stat.S_IMODE(closed.stat().st_mode)
            cause = f"may not read {name}{f' as the user {user}' if user else ''}: its mode is {mode:o}"
            again = f"chmod a+r{'x' if closed.is_dir() else ''} {shlex.quote(name)} && invoke up {seen.name}"
            return Fault("file-unreadable", cause, again)
    return None


def _closed_part(mount: Mount, path: str, user: str) -> Path | None:
    """The first folder of a mount, or the file in it, that only its owner can read; None when the user can."""
    number = {"": "0", "root": "0"}.get(user, user).partition(":")[0]
    inside = PurePosixPath(path.removeprefix(mount.target.rstrip("/")).lstrip("/"))
    source = Path(mount.source)
    for part in (source, *(source / folder for folder in reversed(inside.parents)), source / inside):
        try:
            found = part.stat()
        except OSError:
            return None
        wanted = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(found.st_mode) else stat.S_IROTH
        if found.st_mode & wanted != wanted and number != str(found.st_uid):
            return part
    return None


def file_missing(seen: Evidence) -> Fault | None:
    """A file that the program wants and that is not there; a mount over its place is named."""
    for line in seen.last_words:
        for path in PATH.findall(line) if NO_FILE.search(line) else ():
            if mount := seen.mount_at(path):
                return _missing_below(seen, mount, path)
            if not path.startswith(("/proc", "/sys", "/dev", "/api")):
                words = f"the file {path} is missing in its image"
                if not seen.service.is_built:
                    return Fault(
                        "file-missing", words, f"invoke up {seen.name}", f"mount {path}, or take another image"
                    )
                return Fault("file-missing", words, f"invoke build {seen.name} --force && invoke up")
    return None


def _missing_below(seen: Evidence, mount: Mount, path: str) -> Fault:
    """A file that is not there where something is mounted: gone here, replaced here, or hidden."""
    where = find_text(seen.project, seen.name, "volumes", mount.target)
    where = where or find_text(seen.project, seen.name, "tmpfs", mount.target)
    removing = f"remove the mount: {where.place if where else f'the volumes of {seen.name}'}"
    here = Path(mount.source + path.removeprefix(mount.target.rstrip("/")))
    if mount.kind != "bind" or not here.is_absolute():
        words = f"the file {path} is missing: {mount.words} hides what the image has there"
        return Fault("file-missing", words, f"invoke up {seen.name}", removing)
    name, source = relpath(here, seen.project.root), relpath(mount.source, seen.project.root)
    if here.exists():
        # `git checkout` and the like remove a folder and make it anew; a mount keeps the old one.
        words = f"the file {path} is missing in it, and {name} is here: {source} was replaced after its start"
        return Fault("mount-replaced", words, f"invoke restart {seen.name}")
    words = f"the file {path} is missing: {name} is not there, and {mount.words} hides what the image has"
    return Fault("file-missing", words, f"invoke up {seen.name}", f"put {name} there, or {removing}")


def _mount_named(seen: Evidence, pattern: "re.Pattern[str]") -> Mount | None:
    """The mount that the complaint names a path of; else the only one that can be meant."""
    for line in seen.lines_with(pattern):
        for path in PATH.findall(line):
            if mount := seen.mount_at(path):
                return mount
    mounts = seen.container.mounts if seen.container else ()
    volumes = [one for one in mounts if one.kind == "volume" and not one.is_anonymous]
    return volumes[0] if len(volumes) == 1 else None


RULES: tuple[Rule, ...] = (disk_full, unwritable, file_missing)
