"""Back up the data of a running stack into a file, and restore it.

The command lines that dump and restore the data of a service are declared in `x-layerstack: {backup: {dump, restore}}`.
Services that depend on it cannot write meanwhile: they are paused during a dump, and stopped during a restore.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from layerstack import command
from layerstack.backup import archive
from layerstack.backup.archive import Contents, Dump
from layerstack.engine import engine
from layerstack.engine.container import read_all
from layerstack.errors import StartFailed, UsageError
from layerstack.moment import local_time
from layerstack.project.dependency import all_dependencies
from layerstack.project.project import Project
from layerstack.report import Say

HOW_TO_DECLARE = (
    "Declare how in the Compose file, for example `x-layerstack: { backup: { dump: [pg_dumpall, --username=postgres], "
    "restore: [psql, --username=postgres, --quiet] } }` of the database."
)


@dataclass(frozen=True)
class Backup:
    """A file that was written or restored, and its dumps."""

    path: Path
    dumps: tuple[Dump, ...]
    seconds: float

    def to_json(self) -> dict[str, object]:
        services = [{"service": one.service, "bytes": one.size_bytes, "sha256": one.sha256} for one in self.dumps]
        return {"ok": True, "file": str(self.path), "seconds": round(self.seconds, 3), "services": services}


def back_up(project: Project, path: Path, say: Say) -> Backup:
    """Stream the output of every declared `dump` into `path`, which is replaced atomically at the end.

    Raises UsageError when no service has one or the file cannot be written, StartFailed when one is not running,
    CommandFailed when a dump fails.
    """
    names = [service.name for service in project.services.values() if service.settings.backup.dump]
    if not names:
        raise UsageError("No service of this project declares how it is backed up.", HOW_TO_DECLARE)
    began = time.monotonic()
    running = _require_running(project, names)
    with archive.new_archive(path) as made, _held(project, names, running, ("pause", "unpause")):
        dumps = tuple(_dump(project, name, made, say) for name in names)
        archive.write_contents(made, Contents(project=project.name, made_at=time.time(), dumps=dumps))
    return Backup(path, dumps, time.monotonic() - began)


def read_losses(project: Project, path: Path) -> list[str]:
    """What a restore of that file replaces, as sentences. Raises UsageError for an incomplete backup."""
    with archive.open_archive(path) as (_, contents):
        made = local_time(contents.made_at)
        _restorable(project, contents)
        return [
            f"everything that {dump.service} holds now: replaced by the backup of {made}" for dump in contents.dumps
        ]


def restore(project: Project, path: Path, say: Say) -> Backup:
    """Restore the data of every service in the backup.

    Raises UsageError for a damaged file or a service that has no `restore`, before anything is changed; StartFailed
    when one is not running; CommandFailed.
    """
    began = time.monotonic()
    with archive.open_archive(path) as (kept, contents):
        names = _restorable(project, contents)
        running = _require_running(project, names)
        with _held(project, names, running, ("stop", "start")):
            for dump in contents.dumps:
                say(f"{dump.service}: restoring {dump.size_bytes:,} bytes")
                with kept.open(dump.service) as member:
                    argv = _exec(project, dump.service, project.service(dump.service).settings.backup.restore)
                    command.feed(argv, archive.chunks(member), cwd=project.root, env=project.environment).require()
    return Backup(path, contents.dumps, time.monotonic() - began)


def _dump(project: Project, name: str, made: ZipFile, say: Say) -> Dump:
    say(f"{name}: dumping")
    argv = _exec(project, name, project.service(name).settings.backup.dump)

    def fill(take: Callable[[bytes], None]) -> None:
        command.drain(argv, take, cwd=project.root, env=project.environment).require()

    return archive.write_dump(made, name, fill)


def _exec(project: Project, name: str, words: Sequence[str]) -> tuple[str, ...]:
    # A terminal would change the bytes of the dump: it turns each line feed into two characters.
    return project.compose("--progress", "quiet", "exec", "--no-TTY", name, *words)


def _restorable(project: Project, contents: Contents) -> list[str]:
    names = [dump.service for dump in contents.dumps]
    for name in names:
        if not project.service(name).settings.backup.restore:
            raise UsageError(f"{name} does not declare how it is restored.", HOW_TO_DECLARE)
    return names


def _require_running(project: Project, names: Sequence[str]) -> set[str]:
    """All running services. Raises StartFailed when one of `names` is not among them."""
    found = read_all(engine.client(), project.name)
    running = {name for name, containers in found.items() if any(one.is_running for one in containers)}
    for name in names:
        if name not in running:
            raise StartFailed(f"{name} is not running.", f"`invoke up {name}`")
    return running


@contextmanager
def _held(project: Project, names: Sequence[str], running: set[str], words: tuple[str, str]) -> Iterator[None]:
    """Stop or pause all services that use these with the first Compose command, and undo it with the second."""
    # What is dumped or restored itself has to run for it, whatever it uses.
    others = [name for name in project.services if name in running and name not in names]
    users = [name for name in others if all_dependencies(project, name) & set(names)]
    if not users:
        yield
        return
    hold, let_go = (project.compose("--progress", "quiet", word, *users) for word in words)
    try:
        command.run(hold, cwd=project.root, env=project.environment).require()
        yield
    except BaseException:
        # Also after a failure of the first command, which may have held some of them. The error of the block is the one
        # that is reported.
        command.run(let_go, cwd=project.root, env=project.environment)
        raise
    command.run(let_go, cwd=project.root, env=project.environment).require(
        f"`{project.compose_line(words[1], *users)}` lets them go."
    )
