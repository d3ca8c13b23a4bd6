"""pytest in a container on a leased card: each way to end has its own name. The cards are those of a stand-in."""

import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from own_engine import FINE, PYTHON_IMAGE, OwnEngine, own_engine, python_source

from tests.nvml_stand_in.stand_in import GIB, StandIn, card, library

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="a second engine takes root"),
]
PYTEST_IMAGE = "layerstack-test/pytest"
UNKNOWN_CARD = 'cat >/dev/null; echo "nvidia-container-cli: device error: unknown device" >&2; exit 1'

# Leases a card and runs the image there; meanwhile the container's first process uses memory of the card.
RUN = """
import json, os, subprocess, sys, threading, time
from pathlib import Path
from layerstack.gpu import lease
from layerstack.gpu.container_tests import run_tests
image, size = sys.argv[1], sys.argv[2]

def use_memory(held):
    while True:
        time.sleep(0.05)
        file = Path(held.container_file)
        container = file.read_text() if file.exists() else ""
        asked = ["docker", "inspect", "--format", "{{.State.Pid}}", container]
        pid = subprocess.run(asked, capture_output=True, text=True).stdout.strip() if container else "0"
        if pid not in ("", "0"):
            Path(os.environ["NVML_STAND_IN"] + ".0").write_text(f"0 process {pid} {size}")
            return

with lease.hold(lease.Wanted("a test")) as held:
    if size != "0":
        threading.Thread(target=use_memory, args=(held,), daemon=True).start()
    print(json.dumps(run_tests(image, held, lambda line: None).to_json()))
"""
SLOW = "import time\n\ndef test_slow():\n    time.sleep(1.5)\n"
PASSES = "def test_fine():\n    pass\n"
FAILS = "def test_wrong():\n    assert 1 == 2\n"
DEMANDS = """
import os, pytest

def test_gpu():
    assert os.environ["REQUIRE_GPU"] == "1"
    pytest.fail("a GPU was demanded")
"""


@pytest.fixture(scope="module")
def pytest_image(engine_client: Any) -> Iterator[bytes]:
    """An image that holds pytest and no test. The engine of the tests has no network to fetch it with."""
    install = ["python3", "-m", "pip", "install", "--quiet", "--target", "/opt/tests", "pytest"]
    container = engine_client.containers.run(python_source(), install, detach=True)
    try:
        assert container.wait()["StatusCode"] == 0, container.logs().decode()
        image = container.commit(changes="ENV PYTHONPATH=/opt/tests\nWORKDIR /these")
    finally:
        container.remove(force=True)
    try:
        yield b"".join(image.save())
    finally:
        engine_client.images.remove(image.id)


@pytest.fixture(scope="module")
def started(engine_client: Any, pytest_image: bytes) -> Iterator[OwnEngine]:
    """An engine that gives cards, with the two images."""
    with own_engine() as found:
        found.set_hook(FINE)
        found.restart()
        found.take_python(engine_client)
        (image,) = found.client.images.load(pytest_image)
        image.tag(PYTEST_IMAGE)
        yield found


class Bench:
    def __init__(self, own: OwnEngine, folder: Path) -> None:
        self.own = own
        self.machine = StandIn(library(), folder / "cards")
        self.machine.describe("driver 1", *card(0, 24))
        self.environment = {
            **self.machine.environment,
            "DOCKER_HOST": own.host,
            "XDG_STATE_HOME": str(folder / "state"),
        }

    def image(self, files: Mapping[str, str]) -> str:
        """An image with these tests."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text.encode()))
        container = self.own.client.containers.create(PYTEST_IMAGE, network_mode="none")
        container.put_archive("/these", archive.getvalue())
        container.commit("layerstack-test/these")
        container.remove()
        return "layerstack-test/these"

    def run(self, image: str, used_bytes: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.machine.run(RUN, image, str(used_bytes), environment=self.environment))
        assert self.own.client.containers.list(all=True) == [], "a container was left behind"
        return found


@pytest.fixture
def bench(started: OwnEngine, tmp_path: Path) -> Bench:
    started.set_hook(FINE)
    return Bench(started, tmp_path)


def test_each_file_has_its_time_and_its_memory(bench: Bench) -> None:
    found = bench.run(bench.image({"test_a.py": SLOW, "test_b.py": PASSES}), 3 * GIB)
    assert (found["ending"], found["ok"]) == ("passed", True)
    assert found["peak_bytes"] == 3 * GIB
    slow, quick = found["files"]
    assert (slow["file"], slow["passed"], slow["peak_bytes"]) == ("test_a.py", 1, 3 * GIB)
    assert slow["seconds"] >= 1.5
    assert (quick["file"], quick["passed"]) == ("test_b.py", 1)


def test_tests_that_pass_without_touching_the_card_do_not_pass(bench: Bench) -> None:
    assert bench.run(bench.image({"test_a.py": PASSES}))["ending"] == "gpu-unused"


@pytest.mark.parametrize(
    ("files", "ending"),
    [({"test_a.py": FAILS}, "failed"), ({"test_a.py": DEMANDS}, "gpu-missing"), ({"a.py": PASSES}, "no-tests-ran")],
)
def test_how_the_tests_ended(bench: Bench, files: Mapping[str, str], ending: str) -> None:
    found = bench.run(bench.image(files), GIB)
    assert (found["ending"], found["ok"]) == (ending, False)
    assert found["detail"]


def test_an_image_that_is_missing(bench: Bench) -> None:
    assert bench.run("layerstack-test/never-built")["ending"] == "image-missing"


def test_an_image_without_pytest(bench: Bench) -> None:
    assert bench.run(PYTHON_IMAGE)["ending"] == "cannot-run"


def test_a_card_that_docker_cannot_give(bench: Bench) -> None:
    bench.own.set_hook(UNKNOWN_CARD)
    assert bench.run(bench.image({"test_a.py": PASSES}))["ending"] == "gpu-missing"
