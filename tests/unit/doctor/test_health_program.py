"""A health check without its program: seen in the image before the start, and in what the check says after it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from compose_project import load
from verify_parts import failed as failed_check
from verify_parts import make_container, make_evidence, make_project, make_result

from layerstack.doctor import health_checks
from layerstack.engine.api import ImageMissing
from layerstack.finding import Finding
from layerstack.run import cause
from layerstack.run.cause import find_cause
from layerstack.run.health_program import missing_program, wanted_programs
from layerstack.verify.diagnosis import name_fault

RUNC = (
    'OCI runtime exec failed: exec failed: unable to start container process: exec: "curl": executable file not found'
)


def check(root: Path, monkeypatch: pytest.MonkeyPatch, test: str, files: tuple[str, ...]) -> list[Finding]:
    monkeypatch.setattr(
        health_checks,
        "read_image_trees",
        lambda client, root, image_id, paths, deadline: {path: {"": "1"} if path in files else {} for path in paths},
    )
    facts = {"Id": "sha256:1", "Config": {"Env": ["PATH=/usr/bin:/bin"]}}
    client = SimpleNamespace(api=SimpleNamespace(inspect_image=lambda reference: facts))
    text = f"services:\n  web:\n    image: plain\n    healthcheck:\n      test: {test}\n"
    return list(health_checks.check_programs(client, *load(root, text)))


@pytest.mark.parametrize("test", ['["CMD", "curl", "-f", "http://127.0.0.1/"]', "curl -f http://127.0.0.1/ || exit 1"])
def test_a_program_that_the_image_lacks_is_named_with_one_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test: str
) -> None:
    (found,) = check(tmp_path, monkeypatch, test, ("/bin/sh", "/usr/bin/python3"))
    assert (found.check, found.severity, found.place) == ("health-program", "warning", "compose.yaml:5")
    assert "python3" in found.remedy
    assert [one.severity for one in check(tmp_path, monkeypatch, test, ("/bin/sh", "/bin/curl"))] == ["ok"]


def test_an_image_without_a_shell_runs_no_shell_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.severity for one in check(tmp_path, monkeypatch, "curl x", ("/usr/bin/curl",))] == ["warning"]


def test_an_image_that_is_not_here_is_passed_over(tmp_path: Path) -> None:
    def absent(reference: str) -> None:
        raise ImageMissing(reference)

    client = SimpleNamespace(api=SimpleNamespace(inspect_image=absent))
    text = "services: { web: { image: x, healthcheck: { test: curl x } } }"
    assert [one.severity for one in health_checks.check_programs(client, *load(tmp_path, text))] == ["ok"]


@pytest.mark.parametrize(
    ("test", "programs"),
    [
        (None, ()),
        (["NONE"], ()),
        (["CMD", "curl", "x"], ["curl"]),
        (["CMD-SHELL", "wget -q x || exit 1"], ("/bin/sh", "wget")),
        ("test -f /ready && curl x", ("/bin/sh",)),
        ("$CHECK x", ("/bin/sh",)),
        ("A=1 curl x", ("/bin/sh",)),
        ("if 'unclosed", ("/bin/sh",)),
    ],
)
def test_only_what_is_plainly_run_is_looked_for(test: Any, programs: Any) -> None:
    assert wanted_programs(test) == programs


@pytest.mark.parametrize(
    ("said", "program"),
    [
        (RUNC, "curl"),
        ("/bin/sh: 1: curl: not found", "curl"),
        ("/bin/sh: curl: not found", "curl"),
        ("bash: line 1: curl: command not found", "curl"),
        ("curl: (22) The requested URL returned error: 404: not found", ""),
        ("GET /: 404: page not found", ""),
    ],
)
def test_what_a_check_says_of_its_program(said: str, program: str) -> None:
    one = make_container("api", health="unhealthy", health_output=said, health_command=("CMD-SHELL", "curl -f x"))
    assert missing_program(one) == program


def test_verify_says_it_before_all_that_follows_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cause, "programs_here", lambda client, one: ("wget",))
    project = make_project({"api": {}}, tmp_path)
    one = make_container("api", health="unhealthy", health_output=RUNC, health_command=("CMD", "curl", "x"))
    found = find_cause(SimpleNamespace(), project, one, ())  # type: ignore[arg-type]
    assert found is not None
    fault = name_fault(make_evidence(project, make_result(one, failed_check(answer=RUNC)), cause=found))
    assert (fault.kind, fault.repair) == ("health-program-missing", "invoke up api")
    assert "wget" in fault.change


@pytest.mark.parametrize(
    ("command", "said", "program"),
    [
        ("pg_isready -h db || exit 1", "lookup db: not found", ""),
        ("wget -q -O- localhost:80/health | grep ok", "health: not found", ""),
        ("test -f /ready && curl x", "sh: curl: not found", "curl"),
        ("bash -c 'exit 0' && sh -c curl", "sh: curl: not found", "curl"),
        ("timeout 3 curl x", "sh: curl: not found", "curl"),
    ],
)
def test_a_word_of_the_arguments_is_no_program(command: str, said: str, program: str) -> None:
    one = make_container("api", health="unhealthy", health_output=said, health_command=("CMD-SHELL", command))
    assert missing_program(one) == program
