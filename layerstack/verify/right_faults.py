"""Faults of rights: files that the user of a service may not read or write, calls and ports that it is denied."""

import re
import shlex
import stat
from contextlib import suppress
from os.path import relpath
from pathlib import Path, PurePosixPath

from layerstack.engine.container import Mount
from layerstack.run.declared import in_brackets
from layerstack.run.fault import Fault
from layerstack.secret_text import SECRET_NAME
from layerstack.verify.evidence import Evidence, Rule
from layerstack.verify.file_words import BINDS, NO_FILE, NOT_FILES, PATH, mount_meant, mount_named, paths_in
from layerstack.verify.http_check import short
from layerstack.verify.last_words import telling_lines
from layerstack.verify.own_command import where_command

# `EACCES: permission denied, open '/data/x'`; `permission denied for table users` is said of a right in a database.
UNWRITABLE = re.compile(
    r"permission denied(?! for )|EACCES|EROFS|read-only (?:file ?system|directory)|not writable"
    r"|operation not permitted",
    re.IGNORECASE,
)
DENIED = re.compile(r"permission denied(?! for )|EACCES", re.IGNORECASE)
READ_ONLY = re.compile(r"EROFS|read-only file ?system", re.IGNORECASE)
NOT_PERMITTED = re.compile(r"operation not permitted|EPERM", re.IGNORECASE)
# What programs call, and the capability for it.
CAPABILITIES = {
    r"chown": "CHOWN",
    r"set(?:uid|gid|groups|resuid)|gosu|su-exec|setpriv": "SETUID, SETGID",
    r"bind|listen": "NET_BIND_SERVICE",
    r"chmod": "FOWNER",
}
# `open '/data'`, `/etc/x.conf`
A_FILE = re.compile(r"(?<![\w:/.])/\w")


def unreadable(seen: Evidence) -> Fault | None:
    """A mounted file or folder that the user cannot read, by its mode and not only by the complaint."""
    # What lies in a closed folder seems not to be there.
    denied = (text for text in (*seen.answers, *reversed(seen.told)) if DENIED.search(text) or NO_FILE.search(text))
    for line, path in ((text, path) for text in denied for path in PATH.findall(text)):
        mount = seen.mount_at(path)
        # Root reads everything, unless the container was denied that: then its program says so.
        is_possible = mount and mount.kind == "bind" and (not _is_root(seen.user) or DENIED.search(line))
        closed = _closed_part(mount, path, seen.user) if mount and is_possible else None
        if closed:
            return _closed(seen, closed)
    return None


def _closed(seen: Evidence, path: Path) -> Fault:
    found, name = path.stat(), relpath(path, seen.project.root)
    cause = f"may not read {name}{seen.as_user}: its mode is {stat.S_IMODE(found.st_mode):o}"
    is_of_project = path.resolve().is_relative_to(seen.project.root.resolve()) and not stat.S_ISSOCK(found.st_mode)
    if is_of_project and SECRET_NAME.search(name):
        # Closed to all others on purpose: servers refuse a key that everybody may read.
        change = f'add `user: "{found.st_uid}:{found.st_gid}"` to {seen.name}, the owner of {name}'
        return Fault("file-unreadable", cause, seen.up, change)
    if is_of_project:
        again = f"chmod a+r{'x' if path.is_dir() else ''} {shlex.quote(name)} && {seen.up}"
        return Fault("file-unreadable", cause, again)
    # What belongs to this machine, above all the engine's socket, is not opened to everybody.
    change = f'add `group_add: ["{found.st_gid}"]` to {seen.name}, the group of {path}'
    return Fault("file-unreadable", cause, seen.up, change)


def _is_root(user: str) -> bool:
    return user.partition(":")[0] in ("", "0", "root")


def _closed_part(mount: Mount, path: str, user: str) -> Path | None:
    """The first folder of a mount, or the file in it, that the user cannot read; None for none."""
    # The number behind any other name is in the image: such a user is judged by the rights of all others.
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


def without_capability(seen: Evidence) -> Fault | None:
    """What the kernel refuses to root, too: `cap_drop` has taken the right to it."""
    dropped = seen.service.definition.get("cap_drop")
    if not dropped or not seen.last_exit or not NOT_PERMITTED.search(seen.last_error):
        return None
    # The last line may be `Operation not permitted` alone; the call is named somewhere above it.
    said = (seen.last_error, "\n".join(seen.log))
    missing = next((names for text in said for call, names in CAPABILITIES.items() if re.search(call, text)), "")
    where = in_brackets(seen.declared("cap_drop"))
    words = f"may not do what it wants ({short(seen.last_error)}): cap_drop takes that right from it{where}"
    adding = f"add `cap_add: [{missing}]` to {seen.name}" if missing else "add what it needs to cap_add"
    return Fault("file-unwritable", words, seen.up, f"{adding}, or remove cap_drop{where}")


def port_denied(seen: Evidence) -> Fault | None:
    """A program that may not listen where only root may."""
    if not seen.last_exit or not UNWRITABLE.search(seen.last_error):
        return None
    # A complaint that names a file is about that one, whatever the lines above it tell of ports.
    said = (seen.last_error, *(() if A_FILE.search(seen.last_error) else telling_lines(seen.log)))
    if not any(map(BINDS.search, said)):
        return None
    words = f"may not listen on the port that it wants: {short(seen.last_error)}"
    change = f"let it listen on a port from 1024 on ({where_command(seen)})"
    root = f", or add `cap_add: [NET_BIND_SERVICE]` and run it as root{f' and not as {seen.user}' if seen.user else ''}"
    return Fault("port-denied", words, seen.again, f"{change}{root}")


def unwritable(seen: Evidence) -> Fault | None:
    if not seen.line_with(UNWRITABLE):
        return None
    if mount_named(seen, UNWRITABLE) is None and (fault := _unwritable_image(seen)):
        return fault
    mount = mount_meant(seen, UNWRITABLE)
    if mount is None:
        return None
    if not mount.is_writable:
        change = f"remove `ro` or `read_only` from {seen.place_of(mount)}"
        return Fault("volume-unwritable", f"{mount.words} is mounted read-only", seen.up, change)
    # Rights on a volume do not change that a file system takes no writing: then another place is meant.
    if READ_ONLY.search(seen.last_error) and mount_named(seen, UNWRITABLE) is None:
        return None
    return _closed_to_writing(seen, mount)


def _closed_to_writing(seen: Evidence, mount: Mount) -> Fault:
    """A mount that may be written, and not by this user."""
    cause = f"is not allowed to write to {mount.words}{seen.as_user}"
    if mount.kind == "bind" and not Path(mount.source).is_relative_to(seen.project.root):
        # What belongs to this machine is not given to the user of a container.
        return Fault("volume-unwritable", cause, seen.up, f"let it write to {mount.source}, or mount another folder")
    if owner := _owner(seen, mount):
        # The user's own files, as a checkout is, are not given away: the program runs as whoever has them.
        change = f'add `user: "{owner}"` to {seen.name}, the owner of {mount.source}'
        return Fault("volume-unwritable", cause, seen.up, f"{change}, or mount a volume where it writes")
    # Only root may give files to another user.
    run = ("run", "--rm", "--no-deps", *_rights(seen), "--user", "root", "--entrypoint", "chown", seen.name)
    own = seen.project.compose_line(*run, "-R", seen.user or "root", mount.target)
    return Fault("volume-unwritable", cause, f"{own} && invoke up")


def _owner(seen: Evidence, mount: Mount) -> str:
    """`1000:1000`, whoever has the files behind a mount on this machine; "" for a folder that Docker may have made."""
    source = Path(mount.source)
    with suppress(OSError):
        found = source.stat() if mount.kind == "bind" else None
        # Docker makes a missing folder as root, and never that of the project itself.
        if found and (found.st_uid or seen.project.root.is_relative_to(source)):
            return f"{found.st_uid}:{found.st_gid}"
    return ""


def _rights(seen: Evidence) -> tuple[str, ...]:
    """What root needs to give files away where `cap_drop` has taken the right to it from the service."""
    is_dropped = seen.service.definition.get("cap_drop")
    return ("--cap-add", "CHOWN", "--cap-add", "DAC_OVERRIDE") if is_dropped else ()


def _unwritable_image(seen: Evidence) -> Fault | None:
    """A read-only file of the container; only when its program ended, as many try and do without."""
    said = seen.last_error
    path = next(iter(paths_in(seen, said)), "") if UNWRITABLE.search(said) else ""
    if not path or path.startswith(NOT_FILES):
        return None
    folder = path.rpartition("/")[0]
    if READ_ONLY.search(said):
        declared = seen.declared("read_only")
        if declared is None:
            return None
        words = f"may not write {path}: the files of its container are read-only ({declared.place})"
        # A mount hides what the image has in its place.
        is_free = folder.startswith(("/tmp", "/run", "/var/"))
        adding = f"add `tmpfs: [{folder}]` to {seen.name}" if is_free else "let it write to a volume or a tmpfs"
        change = f"{adding}, or remove {declared.place} (read_only)"
        return Fault("file-unwritable", words, seen.up, change)
    words = f"may not open {path}{seen.as_user}: it belongs to another user of its image"
    image, declared = seen.image, seen.declared("user")
    if image:
        change = f"give {folder} to {seen.user or 'its user'} in {image.dockerfile_place} (`chown`, `COPY --chown`)"
        return Fault("file-unwritable", words, f"invoke build {image.name} && invoke up", change)
    where = f"correct the user in {declared.place}, or " if declared else ""
    return Fault("file-unwritable", words, seen.up, f"{where}let it write to a folder of its own")


RULES: tuple[Rule, ...] = (without_capability, port_denied, unwritable)
