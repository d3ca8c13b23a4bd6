"""A `--verify-skip` that is killed in its midst: its images and folders go with the next one, or with a clean-up."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from mutations import Bench, audit_tags, mutations

from layerstack.build.skip_proof import audit_skips
from layerstack.engine.abandoned_images import find_abandoned
from layerstack.rebuild.leftovers import find_leftovers, remove_leftovers
from layerstack.temporary_folder import temporary_folder

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("build_engine")]

# Dies when its images are built and compared, as by the kernel: nothing of Python's own runs any more.
KILLED = """
import os, signal, sys
from pathlib import Path
from layerstack.build import skip_proof
from layerstack.build.state import StateStore
from layerstack.project import project
from layerstack.temporary_folder import temporary_folder

skip_proof._judge = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
root = Path(sys.argv[1])
with temporary_folder("audit") as folder:
    (folder / "image.tar").touch()
    skip_proof.audit_skips(project.load(root, "gpu"), ["app"], StateStore(root))
"""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with mutations(tmp_path, monkeypatch) as found:
        found.build()
        yield found
        assert not audit_tags(os.getpid())


def kill_one(bench: Bench) -> tuple[int, list[Path]]:
    """The PID of a killed proof, and the folders that it left."""
    with subprocess.Popen([sys.executable, "-c", KILLED, str(bench.root)]) as proof:
        assert proof.wait() == -signal.SIGKILL
    return proof.pid, list(Path(tempfile.gettempdir()).glob("layerstack-audit-*"))


def test_the_next_task_of_that_kind_removes_what_a_killed_one_left(bench: Bench) -> None:
    pid, folders = kill_one(bench)
    assert audit_tags(pid)
    assert len(folders) == 1
    assert {one.verdict for one in audit_skips(bench.load(), ["app"], bench.store)} == {"right"}
    assert not audit_tags(pid)
    with temporary_folder("audit"):
        assert not folders[0].exists()


def test_a_clean_up_knows_and_removes_them(bench: Bench) -> None:
    pid, folders = kill_one(bench)
    tags = audit_tags(pid)
    found = find_leftovers(bench.load())
    assert set(found.folders) == set(folders)
    assert tags
    assert tags <= set(found.images)
    remove_leftovers(found)
    assert not find_leftovers(bench.load()).folders
    assert not tags & set(find_abandoned())
