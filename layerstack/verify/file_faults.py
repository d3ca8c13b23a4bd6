"""Faults of files and disks that a service reports: a full disk, a read-only volume, a missing file."""

import posixpath
import re
import shlex
import stat
from contextlib import suppress
from os.path import relpath
from pathlib import Path, PurePosixPath

from layerstack.engine.container import Mount
from layerstack.run.declared import in_brackets, place_or
from layerstack.run.fault import Fault
from layerstack.secret_text import SECRET_NAME
from layerstack.status.input_changes import is_dependency_file
from layerstack.verify.evidence import Evidence, Rule
from layerstack.verify.http_check import short
from layerstack.verify.last_words import telling_lines
from layerstack.verify.own_command import where_command
from layerstack.wording import nearest

# `ENOSPC: no space left on device, write`
DISK_FULL = re.compile(r"no space left on device|ENOSPC|disk (?:is )?full|disk quota exceeded", re.IGNORECASE)
# `EACCES: permission denied, open '/data/x'`; `permission denied for table users` is said of a right in a database.
UNWRITABLE = re.compile(
    r"permission denied(?! for )|EACCES|EROFS|read-only (?:file ?system|directory)|not writable"
    r"|operation not permitted",
    re.IGNORECASE,
)
DENIED = re.compile(r"permission denied(?! for )|EACCES", re.IGNORECASE)
# `ENOENT: no such file or directory, open '/app/config.json'`
NO_FILE = re.compile(
    r"no such file|does not exist|is missing|ENOENT|FileNotFound|(?:cannot|can't|could not) (?:open|find)",
    re.IGNORECASE,
)
NO_MODULE = re.compile(r"Cannot find module '/")
# `No such file or directory: 'config/app.toml'`
NAME = re.compile(r"['\"]((?:[\w.@+-]+/)*[\w@+-]+\.\w+)['\"]")
READ_ONLY = re.compile(r"EROFS|read-only file ?system", re.IGNORECASE)
# `exec: "/run.sh": permission denied`
EXEC = re.compile(r"\bexec:? \"?/\S+ (?:failed)?|fork/exec", re.IGNORECASE)
# PostgreSQL, MySQL, MongoDB, Redis, Elasticsearch.
OTHER_VERSION = re.compile(
    r"database files are incompatible with server|Invalid MySQL server (?:up|down)grade|Downgrade is not supported"
    r"|(?:invalid|incompatible|wrong) featureCompatibilityVersion|Can't handle RDB format|cannot downgrade a node",
    re.IGNORECASE,
)
# SQLite, PostgreSQL, Redis, MongoDB, MySQL.
DAMAGED = re.compile(
    r"file is not a database|database disk image is malformed|could not locate a valid checkpoint record"
    r"|invalid (?:page in block|(?:\w+ )?checkpoint record|data in file \")|Bad file format reading the append only"
    r"|Wrong signature trying to|database corruption"
    r"|(?:page|table|index|tablespace|database|InnoDB)\b.* is corrupt(?:ed)?\b",
    re.IGNORECASE,
)
# `The data directory was initialized by PostgreSQL version 15`
VERSIONS = re.compile(r"initialized by PostgreSQL version|built by version|[Cc]annot upgrade from|found: ?\W*\d")
# A frame of a stack: `  File "/app/main.py", line 3`, `    at open (node:fs:573:10)`
SOURCE_LINE = re.compile(r"^\s*(?:File \"|at )")
NOT_PERMITTED = re.compile(r"operation not permitted|EPERM", re.IGNORECASE)
# What programs call, and the capability for it.
CAPABILITIES = {
    r"chown": "CHOWN",
    r"set(?:uid|gid|groups|resuid)|gosu|su-exec|setpriv": "SETUID, SETGID",
    r"bind|listen": "NET_BIND_SERVICE",
    r"chmod": "FOWNER",
}
# `A server is already running (pid: 1, file: /data/server.pid).`, `lock file "postmaster.pid" already exists`
LOCK = re.compile(r"(?P<path>[\w./@+-]*[\w-]+\.(?:pid|lock))\b")
# That a lock exists may be as it should, as for `bun.lock`; a file of a process number is there for a process only.
IS_LOCKED = re.compile(r"already (?:running|locked)|in use by another|\.pid\b.* already exists", re.IGNORECASE)
# `self.socket.bind(self.server_address)`, `bind() to 0.0.0.0:80 failed (13: Permission denied)`, `listen EACCES`
BINDS = re.compile(r"\bbind\b|\blisten\b|server_bind", re.IGNORECASE)
# Where Compose and Swarm put the secrets of a service.
SECRETS = "/run/secrets"
# Files of the kernel, and what the path of a request mostly begins with.
NOT_FILES = ("/proc", "/sys", "/dev", "/api")
# `open '/data'`, `/etc/x.conf`
A_FILE = re.compile(r"(?<![\w:/.])/\w")
# `"GET /favicon.ico HTTP/1.1"`
REQUEST = re.compile(r"\"[A-Z]{3,7} (?P<path>/\S*) HTTP/")
# `open '/my app/config.json'`, `open /app/config.json`; not the path of a URL, which follows its host.
PATH = re.compile(r"(?<=['\"])(?:/[\w.@+ ()-]+){2,}(?=['\"])|(?<![\w:/.])(?:/[\w.@+-]+){2,}")


def disk_full(seen: Evidence) -> Fault | None:
    if not seen.line_with(DISK_FULL):
        return None
    in_memory = [one for one in seen.mounts if one.kind == "tmpfs"]
    mount = _mount_meant(seen, DISK_FULL)
    mount = mount or (in_memory[0] if len(in_memory) == 1 else None)
    where = f"{mount.words} is full" if mount else "the disk that it writes to is full"
    # It is memory: nothing that `invoke clean` removes makes room there.
    if mount is not None and mount.kind == "tmpfs":
        place = place_or(seen.written("tmpfs", mount.target), f"the tmpfs of {seen.name}")
        change = f"give it more room (size=) in {place}"
        return Fault("disk-full", where, seen.up, change)
    if mount is None or mount.kind != "volume":
        return Fault("disk-full", where, "invoke clean && invoke up")
    change = f"free space in the volume {mount.source}, or give it more than its size in the Compose file"
    return Fault("disk-full", where, "invoke up", change)


def of_other_version(seen: Evidence) -> Fault | None:
    """Data of a newer or older version, which a server refuses to open."""
    match = seen.line_with(OTHER_VERSION)
    volumes = (one for one in seen.mounts if one.is_writable)
    mount = next((one for one in volumes if one.kind in ("volume", "bind")), None)
    if match is None or mount is None:
        return None
    versions = next((text for text in seen.last_words if VERSIONS.search(text)), match.string)
    words = f"cannot read {mount.words}, which another version has written: {short(versions)}"
    where = f"the image in {declared.place}" if (declared := seen.declared("image")) else f"the version of {seen.name}"
    # Never a removal of the volume: the data in it is whole.
    change = f"set {where} to the version that wrote the data (or move the data with that version's own tools)"
    return Fault("data-of-other-version", words, seen.again, change)


def damaged(seen: Evidence) -> Fault | None:
    """Data that no version of the server can read."""
    match = DAMAGED.search(seen.last_error) if seen.last_exit else None
    one = seen.container
    mount = _mount_meant(seen, DAMAGED) if match and one else None
    if match is None or mount is None:
        return None
    words = f"cannot read its data in {mount.words}, which is damaged: {short(match.string)}"
    # Never a removal: what is left in it may be all that there is.
    change = (
        "put back data that is whole: `invoke restore FILE` with a backup, or that server's own tools for repairing"
    )
    return Fault("data-damaged", words, f"invoke up {seen.name}", change)


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


def lock_left(seen: Evidence) -> Fault | None:
    """The file of a process number that a killed predecessor left, where nobody else has the volume."""
    match = LOCK.search(seen.last_error) if seen.last_exit and IS_LOCKED.search(seen.last_error) else None
    one = seen.container
    # A program leaves the number of its process; the locks of package managers are files of the project.
    is_of_packages = match is not None and is_dependency_file(match["path"])
    if one is None or match is None or is_of_packages:
        return None
    path = posixpath.normpath(posixpath.join(one.folder, match["path"]))
    mount = seen.mount_at(path)
    if mount is None:
        words = f"finds {path}, which its own killed predecessor left in its container"
        return Fault("lock-left", words, seen.anew)
    # Of several replicas the one that runs has the lock rightly.
    if seen.service.replicas > 1:
        return None
    # In a restart loop it is one of the peers itself.
    others = (peer for name, peer in seen.peers.items() if name != seen.name)
    if any(mount.source == other.source for peer in others for other in peer.mounts):
        return None
    words = f"finds {path}, which its own killed predecessor left in {mount.words}"
    # In a new container of the service, which has the same volumes: nothing can be run in one that has ended.
    own = seen.project.compose_line("run", "--rm", "--no-deps", "--entrypoint", "rm", seen.name, "-f", path)
    return Fault("lock-left", words, f"{own} && invoke up {seen.name}")


def unwritable(seen: Evidence) -> Fault | None:
    if not seen.line_with(UNWRITABLE):
        return None
    if _mount_named(seen, UNWRITABLE) is None and (fault := _unwritable_image(seen)):
        return fault
    mount = _mount_meant(seen, UNWRITABLE)
    if mount is None:
        return None
    if not mount.is_writable:
        change = f"remove `ro` or `read_only` from {seen.place_of(mount)}"
        return Fault("volume-unwritable", f"{mount.words} is mounted read-only", seen.up, change)
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


def _unwritable_image(seen: Evidence) -> Fault | None:
    """A read-only file of the container; only when its program ended, as many try and do without."""
    said = seen.last_error
    path = next(iter(PATH.findall(said)), "") if UNWRITABLE.search(said) else ""
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


def file_missing(seen: Evidence) -> Fault | None:
    """A missing file; a mount that hides its place is named."""
    for line in seen.last_words:
        # A program that is there and cannot be run has another reason.
        is_missing = NO_FILE.search(line) and not EXEC.search(line) and not _is_of_stranger(seen, line)
        for path in _paths(seen, line) if is_missing else ():
            if mount := seen.mount_at(path):
                return _missing_below(seen, mount, path)
            if not path.startswith(NOT_FILES) and (fault := _missing_in_image(seen, path)):
                return fault
    return None


def _is_of_stranger(seen: Evidence, line: str) -> bool:
    """Whether it tells of a request that no failed check has sent: browsers ask for `/favicon.ico`."""
    match = REQUEST.search(line)
    asked = [
        *(seen.container.health_command if seen.container else ()),
        *(text for check in seen.result.failed for text in (check.check, check.detail)),
    ]
    return match is not None and not any(match["path"] in text for text in asked)


def _paths(seen: Evidence, line: str) -> list[str]:
    """The paths in a complaint; when the program ended also a name in its working directory."""
    if (found := PATH.findall(line)) or line != seen.last_error or seen.container is None:
        return found
    return [posixpath.normpath(posixpath.join(seen.container.folder, name)) for name in NAME.findall(line)]


def _missing_secret(seen: Evidence, path: str) -> Fault | None:
    """A secret that the project declares, or is to declare, and the service is not given."""
    folder, _, name = path.rpartition("/")
    if folder != SECRETS:
        return None
    service = seen.declared()
    change = f"add `secrets: [{name}]` to {seen.name}{f' ({service.place})' if service else ''}"
    words = f"reads the secret {name}, which it is not given: there is no {path}"
    return Fault("file-missing", words, f"invoke up {seen.name}", change)


def _missing_in_image(seen: Evidence, path: str) -> Fault | None:
    """A file that is not in the image and that the program cannot create without its folder."""
    if secret := _missing_secret(seen, path):
        return secret
    folder = path.rpartition("/")[0]
    if seen.has(folder) is False:
        words = f"the folder {folder} is missing in its image: it can neither read nor write {path}"
        making = f"make {folder} in {seen.image.dockerfile_place}, or " if seen.image else ""
        return Fault("file-missing", words, seen.again, f"{making}mount a volume or a folder on {folder}")
    if seen.has(path):
        return None
    words = f"the file {path} is missing in its image"
    if not seen.service.is_built:
        return Fault("file-missing", words, seen.up, f"mount {path}, or take another image")
    # Without --force a build does nothing: by its inputs the image is up to date.
    return Fault("file-missing", words, f"invoke build {seen.name} --force && invoke up")


def misnamed(seen: Evidence) -> Fault | None:
    """A file that its own command names wrongly: the container has it in another folder, or one of nearly this name."""
    lines = (
        [line for line in seen.last_words if NO_FILE.search(line) or NO_MODULE.search(line)] if seen.last_exit else []
    )
    for path in (path for line in lines for path in PATH.findall(line)):
        named = next((word for word in seen.argv if posixpath.basename(word) == posixpath.basename(path)), "")
        if not named or not (near := _nearest(seen, path)):
            continue
        folder = seen.declared("working_dir") if not named.startswith("/") else None
        is_folder = folder is not None and posixpath.basename(near) == posixpath.basename(path)
        where = f"{folder.place} (working_dir)" if folder and is_folder else where_command(seen)
        cause = f"its command wants {path}, which is not there (did you mean {near}?)"
        return Fault("file-missing", cause, seen.again, f"correct {where}")
    return None


def _nearest(seen: Evidence, path: str) -> str:
    """The path of a mounted file of the same name, else of nearly that name in the same folder."""
    there = []
    # Only a mounted folder can be listed from here, and only its first level is.
    for mount in (one for one in seen.mounts if one.kind == "bind"):
        there.append(mount.target)
        # A folder of somebody else may be closed to whoever runs this.
        with suppress(OSError):
            there += [posixpath.join(mount.target, file.name) for file in Path(mount.source).iterdir()]
    same = next((one for one in there if posixpath.basename(one) == posixpath.basename(path) and one != path), "")
    return same or nearest(path, there, 0.8)


def _missing_below(seen: Evidence, mount: Mount, path: str) -> Fault:
    """A missing file below a mount: deleted here, replaced here, or hidden."""
    removing = f"remove the mount: {seen.place_of(mount)}"
    here = Path(mount.source + path.removeprefix(mount.target.rstrip("/")))
    if mount.kind != "bind" or not here.is_absolute():
        words = f"the file {path} is missing: {mount.words} hides what the image has there"
        return Fault("file-missing", words, seen.up, removing)
    name, source = relpath(here, seen.project.root), relpath(mount.source, seen.project.root)
    if here.exists():
        # `git checkout` and the like remove a folder and make it anew; a mount keeps the old one.
        words = f"the file {path} is missing in it, and {name} is here: {source} was replaced after its start"
        return Fault("mount-replaced", words, f"invoke restart {seen.name}")
    words = f"the file {path} is missing: {name} is not there, and {mount.words} hides what the image has"
    return Fault("file-missing", words, seen.up, f"put {name} there, or {removing}")


def _mount_meant(seen: Evidence, pattern: "re.Pattern[str]") -> Mount | None:
    """The mount that a complaint names, else one just above it, else the only volume where nothing else is named."""
    # A complaint without a path may be of a socket or another path, which the lines above it name.
    said = (next(seen.lines_with(pattern), ""), seen.last_error, *telling_lines(seen.log)[-2:])
    lines = (text for text in said if not SOURCE_LINE.match(text))
    is_told = any(BINDS.search(text) or PATH.search(text) for text in lines)
    return _mount_named(seen, pattern) or _mount_near(seen) or (None if is_told else _only_volume(seen))


def _mount_near(seen: Evidence) -> Mount | None:
    """The mount whose path is just above the complaint: a traceback names it where the error does not."""
    lines = (line for line in reversed(telling_lines(seen.log)) if not SOURCE_LINE.match(line))
    named = (seen.mount_at(path) for line in lines for path in PATH.findall(line))
    return next((mount for mount in named if mount and mount.kind in ("tmpfs", "volume")), None)


def _mount_named(seen: Evidence, pattern: "re.Pattern[str]") -> Mount | None:
    """The mount whose path the complaint names."""
    named = [path for line in seen.lines_with(pattern) for path in PATH.findall(line)]
    return next(filter(None, map(seen.mount_at, named)), None)


def _only_volume(seen: Evidence) -> Mount | None:
    volumes = [one for one in seen.mounts if one.kind == "volume" and not one.is_anonymous]
    return volumes[0] if len(volumes) == 1 else None


RULES: tuple[Rule, ...] = (
    damaged,
    of_other_version,
    disk_full,
    without_capability,
    lock_left,
    port_denied,
    unwritable,
    file_missing,
)
