"""Faults of mounts and users that the engine or a program reports: a folder instead of a file, an unknown user."""

import re
import shlex
from os.path import relpath
from pathlib import Path, PurePosixPath

from layerstack.run.declared import place_or
from layerstack.run.fault import Fault
from layerstack.verify.evidence import Evidence, Rule

# `unable to find user app: no matching entries in passwd file`
NO_USER = re.compile(r"unable to find (?P<what>user|group) (?P<name>[^\s:]+)")
# `error mounting "/shop/x.conf" to rootfs at "/etc/x.conf": ... not a directory`
MISMATCH = re.compile(
    r'error mounting "(?P<source>[^"]+)" to rootfs at "(?P<target>[^"]+)".*not a directory', re.DOTALL
)
# Docker's start time of a container that never ran is `0001-01-01T00:00:00Z`, which is less than this as text.
NEVER = "0002"
# `EISDIR: illegal operation on a directory, read`
IS_FOLDER = re.compile(r"EISDIR|is a directory|IsADirectoryError", re.IGNORECASE)


def user_unknown(seen: Evidence) -> Fault | None:
    match = NO_USER.search(seen.container.error) if seen.container else None
    if match is None:
        return None
    words = f"is to run as the {match['what']} {match['name']}, which its image does not have"
    declared = seen.declared("user")
    line = None if declared else seen.instruction("USER")
    if line and seen.image:
        change = f"make it in {seen.image.dockerfile_place} (`RUN useradd {match['name']}`), or correct {line}"
        return Fault("user-unknown", words, seen.again, change)
    where = place_or(declared, f"the user of {seen.name}")
    change = f"correct {where}: a name that the image has, or a number"
    return Fault("user-unknown", words, seen.up, change)


def folder_for_a_file(seen: Evidence) -> Fault | None:
    """A mounted file that was not there when the container was made: Docker then makes an empty folder.

    An empty folder may be meant, also one whose name has a dot: only one that the program misses as a file is told.
    """
    one = seen.container
    if one is None or seen.result.verdict.phase == "ready":
        return None
    for mount in one.mounts:
        is_file = mount.kind == "bind" and PurePosixPath(mount.target).suffix and _is_missed(seen, mount.target)
        if is_file and is_empty(mount.source):
            name = relpath(mount.source, seen.project.root)
            words = f"mounts {name}, an empty folder, on {mount.target}: there was no such file, and Docker made it"
            change = f"correct the name in {seen.place_of(mount)} or have the file ready"
            # The container keeps a folder where that one was mounted: no file can be mounted there any more.
            return Fault("mount-mismatch", words, f"rmdir {shlex.quote(name)} && {seen.anew}", change)
    return None


def mount_mismatch(seen: Evidence) -> Fault | None:
    """A file mounted over a folder, or a folder over a file, which the engine refuses."""
    one = seen.container
    match = MISMATCH.search(one.error) if one else None
    mount = seen.mount_at(match["target"]) if match else None
    if match is None or mount is None:
        return None
    name, is_folder = relpath(match["source"], seen.project.root), Path(match["source"]).is_dir()
    here, there = ("folder", "file") if is_folder else ("file", "folder")
    # After a run, the container keeps what it had there: `up` alone would mount over that again.
    if one and one.started_at > NEVER:
        words = f"has run with a {there} on {match['target']}, where {name} is a {here} now"
        return Fault("mount-mismatch", words, seen.anew)
    words = f"mounts the {here} {name} on {match['target']}, which is a {there} in its container"
    return Fault("mount-mismatch", words, seen.up, f"correct the mount in {seen.place_of(mount)}")


def _is_missed(seen: Evidence, path: str) -> bool:
    return bool(IS_FOLDER.search(seen.text) or re.search(rf"{re.escape(path)}(?![\w/.-])", seen.text))


def is_empty(path: str) -> bool:
    """Whether it is a folder of this machine with nothing in it."""
    try:
        return Path(path).is_dir() and not any(Path(path).iterdir())
    except OSError:
        return False


RULES: tuple[Rule, ...] = (user_unknown, mount_mismatch, folder_for_a_file)
