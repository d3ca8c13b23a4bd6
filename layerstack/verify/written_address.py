"""Addresses that a service complains of and no variable holds: where the project writes them."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from os.path import relpath
from pathlib import Path

from layerstack.project.addresses import Reference
from layerstack.run.own_file import contexts
from layerstack.verify.evidence import Evidence
from layerstack.verify.network_faults import owner_of

# `db:5433`, `http://apo:8000`, `172.18.0.2:5432`; no file and line such as `main.py:7`.
HOST_AND_PORT = re.compile(
    r"(?:^|[\s\"'(=@,]|://)(?P<host>[a-z][a-z0-9_-]*|\d+(?:\.\d+){3}):(?P<port>\d{2,5})(?![\w.])"
)
# Beside these words also a name that nobody has is a host, where it complains: `user:42 connected` is none.
MEANS_HOST = re.compile(
    r"waiting for|connect|reach|upstream|://|resolv|ENOTFOUND|not known|no such host", re.IGNORECASE
)
COMPLAINS = re.compile(
    r"refused|ECONN|time[d ]*out|unreachable|no route|waiting for|fail|cannot|can't|could not|unable|not known|no such"
    r"|not found|ENOTFOUND|resolv|\berror|upstream",
    re.IGNORECASE,
)
# `connect ECONNREFUSED 172.18.0.2:5432`
NOT_CONNECTED = re.compile(r"refused|ECONN|timed? ?out|unreachable|no route", re.IGNORECASE)
# As Linux has it by default (net.ipv4.ip_local_port_range).
FIRST_CHOSEN_PORT = 32768
# `getaddrinfo ENOTFOUND db`, `Could not resolve host: db`, `lookup db on 127.0.0.11:53: no such host`,
# `could not translate host name "db"`, `Failed to resolve 'db'`, `host not found in upstream "db"`
UNRESOLVED = re.compile(
    r"(?:getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|[Cc]ould not resolve host:?|lookup|translate host name"
    r"|[Ff]ailed to resolve|[Uu]nknown host:?|resolve)\s+['\"]?(?P<host>[a-z][a-z0-9_-]*)(?![\w.-])"
    r"|in upstream \"(?P<upstream>[a-z][a-z0-9_-]*)[\":]"
)
# `cannot connect to postgres: Name or service not known`
NAMED_BEFORE = re.compile(
    # `172.18.0.4 could not be resolved: Name or service not known`
    r"(?<![\w.-])(?<!be )(?P<host>[a-z][a-z0-9_-]*)['\"]?: (?:\[Errno -\d+\] )?"
    r"(?:Name or service not known|Temporary failure in name resolution|no such host|Name does not resolve)"
)
NAMES_A_HOST = re.compile(
    r"\bhost|ENOTFOUND|EAI_AGAIN|not known|name resolution|NXDOMAIN|does not resolve", re.IGNORECASE
)
# Words of the messages themselves, which are taken for no host.
NO_HOSTS = frozenset(
    {
        *("connect", "error", "host", "name", "address", "resolve", "lookup", "failed", "dial", "localhost", "server"),
        *("gaierror", "port", "pid", "line", "status", "code", "time", "attempt", "retry", "http", "https", "tcp"),
    }
)
# An address that only its own container reaches.
LOOPBACK = re.compile(r"(?<![\w.-])(?:127\.0\.0\.1|localhost|::1)(?![\w.-])")
# `app.run(host="127.0.0.1")`, `server.listen(3000, '127.0.0.1')`, `listen 127.0.0.1:80;`
LISTENS = re.compile(r"listen|\bbind|\brun\b|\bserve|\bhost\b|create_server|\baddr", re.IGNORECASE)
# A mounted folder may be a data set: addresses stand in small texts.
MOST_FILES, MOST_BYTES = 200, 1 << 18
# Code of others and what a build wrote: nothing to correct.
SKIPPED = frozenset({"node_modules", "site-packages", "dist", "vendor"})
KEYS = ("command", "entrypoint", "environment")


@dataclass(frozen=True)
class WrittenAddress:
    """`address.variable` is the place where it is written, "" where that is not found.

    `again` is the command after a correction.
    """

    address: Reference
    again: str


def find_written(seen: Evidence) -> Iterator[WrittenAddress]:
    """What its complaints name, the newest first."""
    told: set[tuple[str, int | None]] = set()
    log = tuple(reversed(seen.told))
    # One that runs and fails a check may say why in its log, among minor trouble: what it could not reach.
    minor = () if seen.is_on_its_way else filter(NOT_CONNECTED.search, log)
    for text in (*seen.answers, *log) if seen.is_on_its_way else (*seen.last_words, *minor):
        for host, port in _named_in(seen, text):
            if (host, port) not in told and host not in NO_HOSTS:
                told.add((host, port))
                yield written_at(seen, host, port)


def _named_in(seen: Evidence, text: str) -> Iterator[tuple[str, int | None]]:
    for match in HOST_AND_PORT.finditer(text):
        host, port = match["host"], int(match["port"])
        owner = owner_of(seen, host)
        if not host[0].isdigit():
            if owner or (MEANS_HOST.search(text) and COMPLAINS.search(text)):
                yield host, port
        # A server logs the addresses of its clients, too, with ports that the kernel chose for them.
        elif owner and NOT_CONNECTED.search(text) and port < FIRST_CHOSEN_PORT:
            yield owner, port
    # A template, a module and a dependency can be resolved or not as well.
    for pattern in (UNRESOLVED, NAMED_BEFORE) if NAMES_A_HOST.search(text) else ():
        for match in pattern.finditer(text):
            yield next(filter(None, match.groups())), None


def written_at(seen: Evidence, host: str, port: int | None) -> WrittenAddress:
    """Where a host, with its port if there is one, is written."""
    # Not the `postgres` of `postgres://db`, nor the `db` of `mongodb`.
    name, alone = rf"(?<![\w.-]){re.escape(host)}", r"(?![\w-]|\.\w|://)"
    # As bash writes it, too: `/dev/tcp/db/5433`.
    declared_as = re.compile(name + (rf"[:/]{port}\b" if port else alone))
    if declared := next(filter(None, (seen.written(key, declared_as) for key in KEYS)), None):
        return WrittenAddress(Reference(declared.place, host, port), seen.up)
    there = rf"['\"]?\W{{1,3}}{port}\b" if port else alone
    for file, inside, number, line in _lines(seen, re.compile(name + there)):
        beside = re.search(rf"{re.escape(host)}['\"]?(?::|, ?)(\d{{2,5}})\b", line)
        found = Reference(f"{relpath(file, seen.project.root)}:{number}", host, int(beside[1]) if beside else port)
        return WrittenAddress(found, seen.renewal(inside))
    return WrittenAddress(Reference("", host, port), seen.again)


def listening_at(seen: Evidence) -> WrittenAddress | None:
    """The line of the project's own code or settings that makes its program listen on loopback; None for none."""
    for file, inside, number, line in _lines(seen, LOOPBACK):
        # A line that asks, as a health check does, has the address of a server and no verb for being one.
        if LISTENS.search(line) and "://" not in line:
            place = f"{relpath(file, seen.project.root)}:{number}"
            return WrittenAddress(Reference(place, "127.0.0.1", None), seen.renewal(inside))
    return None


def _lines(seen: Evidence, pattern: "re.Pattern[str]") -> Iterator[tuple[Path, str, int, str]]:
    """(file, its path in the container if it is mounted, number of the line, line) of the project's own files in it."""
    sources = [(Path(mount.source), mount.target) for mount in seen.mounts if mount.kind == "bind"]
    sources += [(folder, "") for folder in contexts(seen.project, seen.service)]
    for source, target in sources:
        for file in _texts(source) if source.is_relative_to(seen.project.root) else ():
            for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if pattern.search(line):
                    yield file, target, number, line


def _texts(source: Path) -> Iterator[Path]:
    for file in islice([source] if source.is_file() else _files(source), MOST_FILES):
        # One that is gone meanwhile, or closed to this user, has no address to correct.
        with suppress(OSError):
            if file.is_file() and file.stat().st_size <= MOST_BYTES and b"\0" not in file.read_bytes():
                yield file


def _files(source: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(source):
        # Never entered: packages may be a hundred thousand files.
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))
