"""Odd and broken projects on the real engine: the right answer or a clear error, and records that stay whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mutations import Bench, causes

from layerstack import command
from layerstack.build import history
from layerstack.build.plan import make_plan
from layerstack.errors import BuildFailed, NoRoom, StackError, UsageError
from layerstack.state_folder import state_folder

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[2]
BUILD = """\
import sys
from pathlib import Path
from layerstack.build import build
from layerstack.project import project
from layerstack.errors import StackError
from layerstack.state_folder import state_folder
try:
    print(build.build(project.load(Path(sys.argv[1]), "gpu"), ["app"]).to_json()["ok"])
except StackError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def start_build(bench: Bench) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", BUILD, str(bench.root)]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_in_app(bench: Bench, *words: str) -> str:
    return command.run(["docker", "run", "--rm", bench.load().image("app").tag, *words]).require().stdout


def test_odd_names_are_built_and_named(bench: Bench) -> None:
    bench.build()
    for name in ("with blank", "line\nbreak", "ümläut €", "-dash", "quote'\""):
        bench.path("app/src").joinpath(name).write_text("odd\n")
    assert causes(bench.build()) == {"app: runtime COPY src src": "file-added"}
    assert run_in_app(bench, "sh", "-c", "cat src/*").count("odd") == 5
    assert not make_plan(bench.load(), ["app"], bench.store).stale


def test_a_name_that_is_not_utf8_is_refused_clearly(bench: Bench) -> None:
    bench.build()
    (bench.path("app/src") / os.fsdecode(b"not-\xff-utf8")).write_text("")
    with pytest.raises(BuildFailed, match=r"not UTF-8.*rename the file or ignore it"):
        bench.build()


def test_dangling_links_are_part_of_a_context(bench: Bench) -> None:
    bench.path("app/src/dangling").symlink_to("/nowhere/at/all")
    bench.build()
    assert run_in_app(bench, "readlink", "src/dangling") == "/nowhere/at/all\n"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("FROM ${BASE} AS deps", "FROMM ${BASE} AS deps", "app/Dockerfile:2"),
        ("COPY package.json ./", "COPPY package.json ./", "COPPY"),
        ("COPY package.json ./", "COPY gone.json ./", "gone.json"),
        ("COPY --from=deps", "COPY --from=nowhere", "nowhere"),
        (" AS runtime", " AS another", "runtime"),
        ("RUN <<END", "RUN <<NEVER", "NEVER"),
    ],
)
def test_a_broken_dockerfile_is_a_clear_error(bench: Bench, old: str, new: str, words: str) -> None:
    bench.replace("app/Dockerfile", old, new)
    with pytest.raises((UsageError, BuildFailed), match=words):
        bench.build()


def test_a_circle_of_images_is_refused(bench: Bench) -> None:
    bench.replace("docker-bake.hcl", "args    = { SYSTEM_IMAGE = SYSTEM_IMAGE }", 'contexts = { high = "target:high" }')
    with pytest.raises(UsageError, match=r"low|high"):
        bench.build()


def test_a_full_disk_is_named(bench: Bench) -> None:
    bench.replace("app/Dockerfile", "cat /tools/* > tools", "echo 'write x: no space left on device' >&2; exit 1")
    with pytest.raises(NoRoom, match="The disk is full"):
        bench.build()


def test_a_failed_build_leaves_records_and_images_as_they_were(bench: Bench) -> None:
    bench.build()
    tag = bench.load().image("app").tag
    before = bench.store.last_of(tag)
    bench.replace("app/Dockerfile", "COPY src src", "COPY src src\nRUN false")
    with pytest.raises(BuildFailed, match="app/Dockerfile:27"):
        bench.build()
    assert bench.store.last_of(tag) == before
    bench.replace("app/Dockerfile", "\nRUN false", "")
    assert {one.action for one in bench.build().images} == {"fresh"}


def test_a_killed_client_is_an_error_and_the_next_build_is_right(bench: Bench) -> None:
    bench.build()
    bench.replace("app/Dockerfile", "COPY src src", "COPY src src\nRUN sleep 20")
    started = start_build(bench)
    client = wait_for_client(started.pid)
    time.sleep(1)
    os.kill(client, signal.SIGKILL)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == 1
    assert errors.startswith("BuildFailed")
    assert "Traceback" not in errors
    bench.replace("app/Dockerfile", "\nRUN sleep 20", "")
    bench.write("app/src/one.txt", "after the kill\n")
    bench.build()
    assert run_in_app(bench, "cat", "src/one.txt") == "after the kill\n"


def test_two_builds_at_once_are_both_right(bench: Bench) -> None:
    bench.build()
    before = len(list(history.read(bench.root, "build")))
    bench.replace("app/Dockerfile", "COPY src src", "COPY src src\nRUN sleep 1")
    bench.write("app/src/one.txt", "first of two\n")
    first = start_build(bench)
    wait_for_client(first.pid)
    time.sleep(0.5)
    bench.write("app/src/one.txt", "second of two\n")
    second = start_build(bench)
    for one in (first, second):
        output, errors = one.communicate(timeout=120)
        assert (output, one.returncode) == ("True\n", 0), errors
    bench.build()
    assert run_in_app(bench, "cat", "src/one.txt") == "second of two\n"
    assert not make_plan(bench.load(), ["app"], bench.store).stale
    # On a busy machine the first may have read what was written for the second, which then has nothing to do.
    assert len(list(history.read(bench.root, "build"))) > before
    assert not list(state_folder(bench.root).rglob("*damaged*"))


def test_damaged_records_are_no_obstacle(bench: Bench) -> None:
    bench.build()
    for path in state_folder(bench.root).rglob("*.json"):
        path.write_text("{ damaged")
    assert {one.action for one in bench.build().images} == {"fresh"}
    bench.write("app/src/one.txt", "after the damage\n")
    assert causes(bench.build()) == {"app: runtime COPY src src": "file-content"}


def test_an_unknown_image_names_the_nearest(bench: Bench) -> None:
    with pytest.raises(StackError, match="Did you mean app"):
        bench.build("ap")


def wait_for_client(parent: int) -> int:
    """The process id of the `docker buildx bake` that a build started; the plugin is a child of the docker command."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and is_bake_of(folder, parent):
                return int(folder.name)
        time.sleep(0.05)
    raise AssertionError("no bake call was started")


def is_bake_of(folder: Path, parent: int) -> bool:
    try:
        words = folder.joinpath("cmdline").read_bytes().split(b"\0")
        status = folder.joinpath("stat").read_text()
    except OSError:
        return False
    return b"bake" in words and b"--progress=rawjson" in words and int(status.rpartition(")")[2].split()[1]) == parent
