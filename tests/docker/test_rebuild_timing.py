"""A timed rebuild on the real engine: what it proves, and that it leaves nothing behind, however it ends."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from layers import layers, tree_digest

from layerstack.build import history
from layerstack.engine import images
from layerstack.engine.abandoned_images import OWNER_LABEL
from layerstack.errors import BuildFailed, UsageError
from layerstack.project.project import Project
from layerstack.rebuild import rebuild
from layerstack.rebuild.timed import Rebuild

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.usefixtures("build_engine")]

MOMENTS = 10
LONGEST_SECONDS = 6.0
TIMER = """
import sys
from pathlib import Path
from layerstack.project import project
from layerstack.rebuild import rebuild
found = project.load(Path(sys.argv[1]), "gpu")
print("loaded", flush=True)
rebuild.time_rebuilds(found, ["web"], rebuild.RebuildOptions(5), lambda line: None)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies of contexts are made; children use it too."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def stack(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    with layers(tmp_path, monkeypatch) as found:
        yield found


def time_one(stack: Project, service: str = "web", runs: int = 2) -> Rebuild:
    [found] = rebuild.time_rebuilds(stack, [service], rebuild.RebuildOptions(runs), print)
    return found


def own_leftovers(process_ids: set[int]) -> list[str]:
    """Images that carry the label of one of these processes."""
    found = ((image.id, image.labels[OWNER_LABEL].split(".")[1]) for image in images.with_label(OWNER_LABEL))
    return [image_id for image_id, process_id in found if int(process_id) in process_ids]


def test_a_code_change_is_timed_and_proved(stack: Project, temporary: Path) -> None:
    before = tree_digest(stack.root)
    found = time_one(stack)
    assert found.failures == []
    assert found.edited == "src/app.js"
    assert len(found.runs) == 2
    for run in found.runs:
        [executed] = run.executed
        assert executed.instruction == "COPY src src"
        assert any(step.instruction == "RUN cp package.json installed.json" for step in run.cached)
        assert run.seconds > 0
    assert len({run.image_id for run in found.runs}) == 2
    assert tree_digest(stack.root) == before
    assert list(temporary.iterdir()) == []
    assert own_leftovers({os.getpid()}) == []
    [record] = history.read(stack.root, "rebuild")
    assert (record["service"], record["ok"]) == ("web", True)


def test_the_users_own_tags_are_not_touched(stack: Project) -> None:
    time_one(stack, runs=1)
    assert images.find(stack.image("web").tag) is None


def test_an_install_after_the_code_is_found(stack: Project) -> None:
    found = time_one(stack, "late", runs=1)
    assert any("npm install" in step for step in found.unexpected_steps)
    assert rebuild.summary([found])["ok"] is False


@pytest.mark.parametrize("rules", ["*\n!package.json\n!src\n", "notes/plan.js\n"])
def test_a_file_that_the_build_never_sees_is_refused(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: str
) -> None:
    with layers(tmp_path, monkeypatch, TEST_EDIT="notes/plan.js") as stack:
        (stack.root / "web" / ".dockerignore").write_text(rules)
        before = tree_digest(stack.root)
        with pytest.raises(UsageError, match=r"notes/plan\.js"):
            time_one(stack, runs=1)
        assert tree_digest(stack.root) == before
        assert list(temporary.iterdir()) == []


def test_a_change_that_no_step_copies_is_not_passed_off_as_a_rebuild(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with layers(tmp_path, monkeypatch, TEST_EDIT="notes/plan.js") as stack:
        (stack.root / "web" / ".dockerignore").unlink()
        found = time_one(stack, runs=1)
        assert not found.is_image_changed
        assert rebuild.summary([found])["ok"] is False


def test_a_failing_build_leaves_nothing(stack: Project, temporary: Path) -> None:
    with (stack.root / "web" / "Dockerfile").open("a") as file:
        file.write("RUN exit 3\n")
    with pytest.raises(BuildFailed, match="exit code: 3"):
        time_one(stack)
    assert list(temporary.iterdir()) == []
    assert own_leftovers({os.getpid()}) == []


def interrupt(stack: Project, number: int, after_seconds: float) -> int:
    """Start a timing in a process of its own and send it a signal; returns its id when it has ended."""
    process = subprocess.Popen([sys.executable, "-c", TIMER, str(stack.root)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"loaded\n"
    time.sleep(after_seconds)
    process.send_signal(number)
    process.communicate(timeout=30)
    return process.pid


def test_the_tree_stays_as_it_is_at_any_moment_of_an_interrupt_or_a_kill(stack: Project, temporary: Path) -> None:
    seed = int(os.environ.get("LAYERSTACK_TEST_SEED", "20261120"))
    dice = random.Random(seed)
    began = time.monotonic()
    time_one(stack, runs=5)
    longest = min(LONGEST_SECONDS, time.monotonic() - began)
    before = tree_digest(stack.root)
    process_ids = set()
    for moment in range(MOMENTS):
        number = signal.SIGKILL if moment % 2 else signal.SIGINT
        after_seconds = longest * (moment + dice.random()) / MOMENTS
        print(f"LAYERSTACK_TEST_SEED={seed}: {number.name} after {after_seconds:.2f} s")
        process_ids.add(interrupt(stack, number, after_seconds))
        assert tree_digest(stack.root) == before
    # A busy engine may end a build whose client is gone while the next task already cleans up: one more does it.
    for _ in range(2):
        time_one(stack, runs=1)
    assert list(temporary.iterdir()) == []
    assert own_leftovers(process_ids) == []
    assert tree_digest(stack.root) == before
