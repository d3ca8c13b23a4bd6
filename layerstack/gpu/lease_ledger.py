"""Who holds how much memory of which card: one file a card, shared by all processes, worktrees and users."""

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from layerstack.errors import StackError
from layerstack.gpu.gpu_card import Card
from layerstack.process_life import ProcessLife, ancestors, is_container_alive, is_in_container

FOLDER_VARIABLE = "LAYERSTACK_LEASE_FOLDER"
# The same for every user: the first that anybody may write, whoever asks.
SHARED_FOLDERS = (Path("/run/lock"), Path("/tmp"))
NAME = "layerstack-gpu"
LOCK_SECONDS = 30.0


@dataclass(frozen=True)
class Entry:
    """One lease. `size_bytes` is None for the whole card; `owner` says what holds it, as a person would.

    The lease ends with the process and with the container whose id is `container`, "" for none.
    """

    key: str
    owner: str
    user: str
    life: ProcessLife
    size_bytes: int | None
    since: float
    container: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nobody is left who could use what it holds."""
        return self.life.is_over and not is_container_alive(self.container)

    def used_bytes(self, card: Card) -> int:
        """What its processes hold on the card now, as far as the driver tells."""
        return sum(one.used_bytes or 0 for one in card.processes if self.has(one.pid))

    def has(self, pid: int) -> bool:
        """Whether a process works for this lease."""
        return is_in_container(pid, self.container) or self.life.pid in ancestors(pid)


class Ledger:
    """The leases of one card, while its lock is held. Those whose process is gone are not among them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        found = tuple(_read(path))
        self.entries = tuple(entry for entry in found if not entry.is_over)
        self._over = tuple(entry for entry in found if entry not in self.entries)

    def write(self, entries: tuple[Entry, ...]) -> None:
        """Replace the leases of the card."""
        new = self._path.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.write_text(json.dumps([asdict(entry) for entry in entries], indent=1))
        # Whatever this user's umask is: a ledger that others cannot read would be no ledger.
        new.chmod(0o644)
        new.replace(self._path)
        for entry in self._over:
            container_file(entry.key).unlink(missing_ok=True)
        self.entries = entries


@contextmanager
def opened(card: Card) -> Iterator[Ledger]:
    """The card's leases, for this process alone as long as the block runs."""
    from filelock import FileLock, Timeout

    path = _folder() / re.sub(r"[^A-Za-z0-9-]+", "_", card.uuid)
    try:
        # Opened by any user: the one who comes first must not lock the others out.
        with FileLock(f"{path}.lock", timeout=LOCK_SECONDS, mode=0o666):
            yield Ledger(path.with_name(f"{path.name}.json"))
    except Timeout as error:
        msg = f"{path}.lock is held for more than {LOCK_SECONDS:.0f} s by a program that hangs."
        raise StackError(msg, f"`fuser {path}.lock` names it.") from error


def container_file(key: str) -> Path:
    """Where `docker run --cidfile` writes the id of the container that a lease is for."""
    return _folder() / f"{key}.cid"


def _read(path: Path) -> Iterator[Entry]:
    try:
        found: list[dict[str, Any]] = json.loads(path.read_text())
        for fields in found:
            life = ProcessLife(**fields.pop("life"))
            yield Entry(**{**fields, "life": life, "container": fields["container"] or _container_of(fields["key"])})
    except FileNotFoundError:
        return
    except (ValueError, TypeError, KeyError, AttributeError):
        # Damaged: the memory that is really free still counts.
        return


def _container_of(key: str) -> str:
    try:
        return container_file(key).read_text().strip()
    except OSError:
        return ""


def _folder() -> Path:
    """The shared folder, made when needed. Raises StackError when it is not one that all users can share."""
    told = os.environ.get(FOLDER_VARIABLE)
    folder = Path(told) if told else _shared_folder() / NAME
    if not folder.exists():
        _make_for_all(folder)
    if folder.is_symlink() or not os.access(folder, os.W_OK):
        raise StackError(
            f"{folder} holds the leases of all users, and this one may not write there.",
            f"`sudo chmod 777 {folder}`, or set {FOLDER_VARIABLE} to the same other folder for all.",
        )
    return folder


def _make_for_all(folder: Path) -> None:
    """Make a folder that is writable for all from its first moment on."""
    new = folder.with_name(f".{folder.name}.{os.getpid()}")
    new.mkdir(parents=True, exist_ok=True)
    # Not sticky: the kernel would refuse a user who opens another one's file to create it.
    new.chmod(0o777)
    try:
        new.rename(folder)
    except OSError:
        new.rmdir()


def _shared_folder() -> Path:
    def is_for_all(folder: Path) -> bool:
        return folder.is_dir() and bool(folder.stat().st_mode & stat.S_IWOTH)

    return next(filter(is_for_all, SHARED_FOLDERS), SHARED_FOLDERS[-1])
