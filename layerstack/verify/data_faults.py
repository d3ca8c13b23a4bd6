"""Faults of what a service keeps: no room for it, data that it cannot read, a lock that was left in it."""

import posixpath
import re

from layerstack.project.declaration import find_declaration
from layerstack.run.declared import in_brackets, place_or
from layerstack.run.fault import Fault
from layerstack.status.input_changes import is_dependency_file
from layerstack.verify.evidence import Evidence, Rule
from layerstack.verify.file_words import mount_meant
from layerstack.verify.http_check import short

# `ENOSPC: no space left on device, write`
DISK_FULL = re.compile(r"no space left on device|ENOSPC|disk (?:is )?full|disk quota exceeded", re.IGNORECASE)
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
# PostgreSQL, SQLite, MySQL.
NO_TABLE = re.compile(
    r"column \"(?P<column>\w+)\" (?:of relation \"\w+\" )?does not exist|relation \"(?P<table>[\w.]+)\" does not exist"
    r"|no such table: (?P<table_>[\w.]+)|no such column: (?P<column_>[\w.]+)|Unknown column '(?P<column__>[\w.]+)'"
    r"|Table '(?P<table__>[\w.]+)' doesn't exist"
)
MIGRATES = re.compile(r"migrat|alembic|flyway|liquibase|db:setup", re.IGNORECASE)
# `The data directory was initialized by PostgreSQL version 15`
VERSIONS = re.compile(r"initialized by PostgreSQL version|built by version|[Cc]annot upgrade from|found: ?\W*\d")
# `A server is already running (pid: 1, file: /data/server.pid).`, `lock file "postmaster.pid" already exists`
LOCK = re.compile(r"(?P<path>[\w./@+-]*[\w-]+\.(?:pid|lock))\b")
# That a lock exists may be as it should, as for `bun.lock`; a file of a process number is there for a process only.
IS_LOCKED = re.compile(r"already (?:running|locked)|in use by another|\.pid\b.* already exists", re.IGNORECASE)


def disk_full(seen: Evidence) -> Fault | None:
    if not seen.line_with(DISK_FULL):
        return None
    in_memory = [one for one in seen.mounts if one.kind == "tmpfs"]
    mount = mount_meant(seen, DISK_FULL)
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
    mount = mount_meant(seen, DAMAGED) if match and one else None
    if match is None or mount is None:
        return None
    words = f"cannot read its data in {mount.words}, which is damaged: {short(match.string)}"
    # Never a removal: what is left in it may be all that there is.
    change = (
        "put back data that is whole: `invoke restore FILE` with a backup, or that server's own tools for repairing"
    )
    return Fault("data-damaged", words, f"invoke up {seen.name}", change)


def schema_missing(seen: Evidence) -> Fault | None:
    """A database that works and lacks a table or a column: its migrations did not run, or are older than the code."""
    match = seen.line_with(NO_TABLE)
    if match is None:
        return None
    what = next(f"{kind.strip('_')} {name}" for kind, name in match.groupdict().items() if name)
    words = f"finds no {what} in its database: the migrations have not run, or are older than its code"
    jobs = [name for name in seen.project.services if MIGRATES.search(name)]
    jobs = jobs or [name for name, one in seen.project.services.items() if MIGRATES.search(str(one.definition))]
    if len(jobs) != 1 or jobs == [seen.name]:
        return Fault("schema-missing", words, seen.up, "run its migrations")
    place = in_brackets(find_declaration(seen.project, jobs[0]))
    # An old image has the old migrations.
    built = f"invoke build {jobs[0]} && " if seen.project.image_of(seen.project.services[jobs[0]]) else ""
    run = seen.project.compose_line("run", "--rm", jobs[0])
    change = f"have the migration in {jobs[0]}{place}"
    return Fault("schema-missing", words, f"{built}{run} && invoke up", change)


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


RULES: tuple[Rule, ...] = (damaged, of_other_version, disk_full, lock_left, schema_missing)
