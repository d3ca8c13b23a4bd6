"""Programs that a service calls and that its image does not have, or that this machine cannot run."""

from pathlib import Path

import pytest
from verify_parts import make_container, make_evidence, make_project, make_result

from layerstack.run.health import Verdict
from layerstack.verify.checks import CheckResult
from layerstack.verify.diagnosis import name_fault

ENDED = Verdict("failed", "exited", "exited with code 1")
CHILD = '  File "/usr/lib/python3.11/subprocess.py", line 1901, in _execute_child'
PYTHON = "FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'"


def named(tmp_path: Path, log: tuple[str, ...], code: int = 1) -> tuple[str, str]:
    (tmp_path / "compose.yml").write_text("services:\n  api:\n    image: api\n    platform: linux/arm64\n")
    project = make_project({"api": {"platform": "linux/arm64"}}, tmp_path)
    one = make_container("api", status="exited", exit_code=code)
    result = make_result(one, CheckResult("running", False, 0.0, ENDED.reason, "running"), verdict=ENDED)
    found = name_fault(make_evidence(project, result, log=log))
    return found.kind, f"{found.cause} → {found.change}"


@pytest.mark.parametrize(
    ("log", "code"),
    [
        ((CHILD, PYTHON), 1),
        (("Error: spawn ffmpeg ENOENT",), 1),
        (("./entry.sh: line 3: ffmpeg: command not found",), 127),
        (("./entry.sh: 3: ffmpeg: not found",), 127),
        (('exec: "ffmpeg": executable file not found in $PATH',), 1),
    ],
)
def test_a_program_that_is_not_in_the_image(tmp_path: Path, log: tuple[str, ...], code: int) -> None:
    kind, words = named(tmp_path, log, code)
    assert kind == "command-missing"
    assert "ffmpeg" in words.partition("→")[0]
    assert "ffmpeg" in words.partition("→")[2]


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    assert named(tmp_path, (PYTHON,))[0] != "command-missing"


def test_a_program_for_another_processor(tmp_path: Path) -> None:
    kind, words = named(tmp_path, ("./entry.sh: 2: exec: tool: Exec format error",), 126)
    assert kind == "not-executable"
    assert "tool" in words
    assert "compose.yml:4" in words


def test_a_program_for_a_newer_processor(tmp_path: Path) -> None:
    kind, words = named(tmp_path, ("WARNING: MongoDB 5.0+ requires a CPU with AVX support",), 132)
    assert kind == "not-executable"
    assert "compose.yml:4" in words
    assert named(tmp_path, ("Illegal instruction is no word for me",), 1)[0] != "not-executable"
