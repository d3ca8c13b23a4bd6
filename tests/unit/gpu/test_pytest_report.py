"""Reports of the real pytest, and what Docker's exit codes mean beside pytest's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from layerstack.gpu.container_tests import judge, read_report

PASSES = "def test_fine():\n    pass\n"
FAILS = "def test_wrong():\n    assert 1 == 2\n"
SKIPS = "import pytest\n\ndef test_not_here():\n    pytest.skip('no card')\n"
DEMANDS = """
import pytest

@pytest.fixture
def cuda():
    pytest.fail("a GPU was demanded: none")

def test_gpu(cuda):
    pass
"""
NO_DRIVER = 'docker: Error response from daemon: could not select device driver "" with capabilities: [[gpu]]\n'
NO_CARD = (
    "docker: Error response from daemon: failed to create task: nvidia-container-cli: device error: unknown device\n"
)
NO_IMAGE = "docker: Error response from daemon: No such image: tests:latest\n"
NO_PYTHON = 'docker: Error response from daemon: exec: "python": executable file not found in $PATH\n'


def run(folder: Path, **files: str) -> tuple[int, str]:
    """pytest's exit code and report for test files of this content."""
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    report = folder / "report.xml"
    options = ["-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junit-xml={report}"]
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(folder), str(folder)],
        env=environment,
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return done.returncode, report.read_text() if report.is_file() else ""


def test_a_file_has_its_numbers_its_seconds_and_its_memory(tmp_path: Path) -> None:
    _, report = run(tmp_path, one=PASSES + FAILS, two=SKIPS)
    one, two = read_report(report, {"test_one.py": 7})
    assert (one.file, one.passed, one.failed, one.skipped, one.peak_bytes) == ("test_one.py", 1, 1, 0, 7)
    assert (two.file, two.passed, two.failed, two.skipped, two.peak_bytes) == ("test_two.py", 0, 0, 1, 0)
    assert one.seconds >= 0


@pytest.mark.parametrize(
    ("files", "ending"),
    [
        ({"one": PASSES}, "passed"),
        ({"one": PASSES, "two": SKIPS}, "passed"),
        ({"one": PASSES, "two": FAILS}, "failed"),
        ({"one": SKIPS}, "no-tests-ran"),
        ({}, "no-tests-ran"),
        ({"one": DEMANDS, "two": PASSES}, "gpu-missing"),
        ({"one": "import no_such_module\n"}, "failed"),
    ],
)
def test_how_pytest_ended(tmp_path: Path, files: dict[str, str], ending: str) -> None:
    code, report = run(tmp_path, **files)
    assert judge(code, "", report)[0] == ending


@pytest.mark.parametrize(
    ("code", "complaint", "ending"),
    [
        (125, NO_IMAGE, "image-missing"),
        (125, NO_DRIVER, "gpu-missing"),
        (125, NO_CARD, "gpu-missing"),
        (127, NO_PYTHON, "cannot-run"),
        (126, "docker: permission denied\n", "cannot-run"),
        (125, "docker: Cannot connect to the Docker daemon\n", "cannot-run"),
        (1, "/opt/venv/bin/python: No module named pytest\n", "cannot-run"),
        (137, "", "cannot-run"),
        (130, "", "cannot-run"),
        (3, "", "cannot-run"),
        (0, "", "no-tests-ran"),
    ],
)
def test_what_exit_codes_without_a_report_mean(code: int, complaint: str, ending: str) -> None:
    found = judge(code, complaint, "")
    assert found[0] == ending
    assert found[1]


def test_a_report_that_was_cut_off_is_no_pass() -> None:
    assert judge(0, "", "<testsuites><testsuite><testcase name='a'")[0] == "no-tests-ran"
