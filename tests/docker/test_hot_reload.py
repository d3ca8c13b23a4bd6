"""Every save of a mounted source is served, however an editor writes it, and `status` does not doubt it afterwards."""

import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from layerstack import command
from layerstack.build import build
from layerstack.project import project
from layerstack.project.project import Project
from layerstack.run.rehearsal import rehearsal
from layerstack.status import status
from layerstack.wait import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.long]
ROOT = Path(__file__).parents[2]
# The first one waits for the start, too.
SERVED_SECONDS = 60.0
ROUNDS = 20
BROKEN_ROUNDS = (3, 11)


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def by_rename(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.replace(path)


def with_a_backup(path: Path, text: str) -> None:
    """As vim does: the old file takes another name first, and for a moment there is none."""
    old = path.rename(path.with_name(f"{path.name}~"))
    path.write_text(text)
    old.unlink()


def safely(path: Path, text: str) -> None:
    """As JetBrains does it: both files have other names for a moment."""
    new = path.with_name(f"{path.name}___jb_tmp___")
    new.write_text(text)
    old = path.rename(path.with_name(f"{path.name}___jb_old___"))
    new.rename(path)
    old.unlink()


def with_sed(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.text")
    new.write_text(text)
    subprocess.run(["sed", "-i", "-e", f"1r {new}", "-e", "1,$d", str(path)], check=True)
    new.unlink()


def with_git(path: Path, text: str) -> None:
    def git(*words: str, given: str | None = None) -> str:
        done = subprocess.run(["git", *words], cwd=path.parent, input=given, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    blob = git("hash-object", "-w", "--stdin", given=text)
    git("update-index", "--add", "--cacheinfo", f"100644,{blob},{git('ls-files', '--full-name', path.name)}")
    git("checkout-index", "--force", path.name)


WAYS = (in_place, by_rename, with_a_backup, safely, with_sed, with_git)


@dataclass(frozen=True)
class Source:
    """A file of a service, the place in it where a save writes something, and the address that then shows it."""

    service: str
    file: str
    place: str
    mark: str
    path: str
    broken: str
    complaint: str

    def text(self, good: str, number: int) -> str:
        assert self.place in good
        return good.replace(self.place, self.place + self.mark.format(number))


SOURCES = (
    Source(
        service="backend-api",
        file="backend/api/read-live.js",
        place="status: 'alive'",
        mark=", save: 'save-{}-'",
        path="/live",
        broken="export {",
        complaint="SyntaxError",
    ),
    Source(
        service="frontend",
        file="backend/web/src/main.jsx",
        place="App.jsx'\n",
        mark="window.save = 'save-{}-'\n",
        path="/src/main.jsx",
        broken="<<",
        complaint="main.jsx",
    ),
    Source(
        service="pose-service",
        file="backend/pose-service/pose_service/web/routes/health.py",
        place='{"status": roster.status, ',
        mark='"save": "save-{}-", ',
        path="/health",
        broken="def (",
        complaint="SyntaxError",
    ),
)


@dataclass(frozen=True)
class Saves:
    """A running copy of the stack whose sources may be written, and how they were."""

    project: Project
    client: Any
    good: Mapping[str, str]

    def save(self, number: int, way: Callable[[Path, str], None], is_broken: bool) -> None:
        """One way of saving, in all services; returns when each serves it, or shows what is broken in it."""
        for one in SOURCES:
            good = self.good[one.file]
            way(self.project.root / one.file, good + one.broken if is_broken else one.text(good, number))
        look = partial(self.complaint if is_broken else self.answer, number=number)
        waiting = list(SOURCES)

        def is_seen() -> bool:
            waiting[:] = [one for one in waiting if not look(one)]
            return not waiting

        assert wait_until(is_seen, SERVED_SECONDS, 0.2), (number, way.__name__, is_broken, waiting)

    def answer(self, one: Source, number: int) -> bool:
        address = self.project.services[one.service].ports[0].address
        try:
            with urllib.request.urlopen(f"http://{address}{one.path}", timeout=2) as answer:
                return f"save-{number}-" in answer.read().decode()
        except OSError:
            return False

    def complaint(self, one: Source, number: int) -> bool:
        # The page is read again when somebody asks for it.
        self.answer(one, number)
        log = self.client.containers.get(f"{self.project.name}-{one.service}-1").logs(tail=60).decode()
        return one.complaint in log


@pytest.fixture
def saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine_client: Any) -> Iterator[Saves]:
    """In a folder of its own that is a git repository, with the pose service reloading as `dev` has it."""
    root = tmp_path / "tree"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("node_modules", ".git", ".venv", "*cache*"))
    for words in (("init", "--quiet"), ("add", "backend")):
        subprocess.run(["git", *words], cwd=root, check=True)
    monkeypatch.setenv("POSE_GUNICORN_ARGS", "--reload")
    build.build(project.load(ROOT, "cpu"), [one.service for one in SOURCES])
    alone = {name: {"depends_on": "!reset {}"} for name in ("backend-api", "frontend")}
    with rehearsal(project.load(root, "cpu"), "saves", alone) as copy:
        # Without a database the API is alive, if not healthy: reloading is all that is asked of it.
        argv = copy.compose("up", "--detach", "--no-build", "--no-deps", *(one.service for one in SOURCES))
        command.run(argv, cwd=copy.root, env=copy.environment).require()
        yield Saves(copy, engine_client, {one.file: (root / one.file).read_text() for one in SOURCES})


def test_twenty_mixed_saves_of_every_service(saves: Saves) -> None:
    for number in range(ROUNDS):
        way = WAYS[number % len(WAYS)]
        if number in BROKEN_ROUNDS:
            saves.save(number, way, is_broken=True)
        saves.save(number, way, is_broken=False)
    found = {one.service: one.freshness for one in status.read_status(saves.project)}
    for one in SOURCES:
        assert "not-reloaded" not in {stale.kind for stale in found[one.service].stale}
        assert not found[one.service].unknown
