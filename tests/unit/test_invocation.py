"""How tasks are called, through the real `invoke` on task files of the tests' own."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from invoke.collection import Collection
from invoke.program import Program

from invocation import task

TASKS = """
from layerstack import errors
from invocation import task


def failing(name):
    @task(name=name.lower(), help={"json": "a document"})
    def fail(c, json=False):
        \"\"\"Fail.\"\"\"
        raise getattr(errors, name)(f"{name} happened", "mend it")

    return fail


check = failing("CheckFailed")
usage = failing("UsageError")
engine = failing("EngineError")
build = failing("BuildFailed")
start = failing("StartFailed")
gpu = failing("GpuMissing")


@task()
def interrupt(c):
    \"\"\"Be interrupted.\"\"\"
    raise KeyboardInterrupt


@task()
def command(c):
    \"\"\"Run something that fails.\"\"\"
    from layerstack import command
    command.run(["sh", "-c", "exit 77"]).require()


@task()
def bug(c):
    \"\"\"Be wrong.\"\"\"
    raise ZeroDivisionError


@task()
def fine(c):
    \"\"\"Do it.\"\"\"
    print("done")
"""
ROOT = Path(__file__).parents[2]
CALLS = [
    *(("checkfailed", 1), ("usageerror", 2), ("engineerror", 3), ("buildfailed", 4), ("startfailed", 5)),
    *(("gpumissing", 6), ("interrupt", 130), ("fine", 0), ("command", 1), ("--dry bug", 0), ("nonsense", 1)),
    *(("usageerror --json", 2), ("checkfailed --json", 1), ("bug", 1)),
]
Outcome = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Outcome]]]:
    """Every call of the table; they run side by side because each starts a Python."""
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "tasks.py").write_text(TASKS)

    def call(words: str) -> Outcome:
        argv = [sys.executable, "-m", "invoke", *words.split()]
        environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
        return subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(4) as pool:
        yield {words: pool.submit(call, words) for words, _ in CALLS}


@pytest.mark.parametrize(("words", "exit_code"), CALLS)
def test_exit_codes(outcomes: dict[str, Future[Outcome]], words: str, exit_code: int) -> None:
    assert outcomes[words].result().returncode == exit_code


def test_a_failure_says_what_and_what_to_do_on_stderr_without_a_traceback(outcomes: dict[str, Future[Outcome]]) -> None:
    outcome = outcomes["engineerror"].result()
    assert outcome.stderr.splitlines() == ["EngineError happened", "  → mend it"]
    assert outcome.stdout == ""


def test_an_interrupt_leaves_no_traceback(outcomes: dict[str, Future[Outcome]]) -> None:
    outcome = outcomes["interrupt"].result()
    assert outcome.stderr.strip() == "interrupted"


def test_a_bug_is_not_hidden(outcomes: dict[str, Future[Outcome]]) -> None:
    assert "ZeroDivisionError" in outcomes["bug"].result().stderr


def test_a_failure_with_json_is_one_document(outcomes: dict[str, Future[Outcome]]) -> None:
    outcome = outcomes["usageerror --json"].result()
    document = json.loads(outcome.stdout)
    assert (document["ok"], document["error"], document["advice"]) == (False, "UsageError happened", "mend it")
    assert "UsageError happened" in outcome.stderr


def test_a_failed_check_has_printed_its_document_already(outcomes: dict[str, Future[Outcome]]) -> None:
    assert outcomes["checkfailed --json"].result().stdout == ""


def test_dry_runs_nothing_and_says_so(outcomes: dict[str, Future[Outcome]]) -> None:
    outcome = outcomes["--dry bug"].result()
    assert outcome.stdout == ""
    assert "Be wrong." in outcome.stderr


class Recorder:
    """A collection of tasks that write down how they were called."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        calls = self.calls

        @task(positional=["services"], iterable=["services"])
        def build(c: Any, services: list[str], force: bool = False, device: str = "auto") -> None:
            """Build."""
            calls.append(("build", {"services": list(services), "force": force, "device": device}))

        @task(positional=["services"], iterable=["services"])
        def logs(c: Any, services: list[str], tail: int = 5) -> None:
            """Logs."""
            calls.append(("logs", {"services": list(services), "tail": tail}))

        @task()
        def time_rebuild(c: Any, runs: int = 3) -> None:
            """No words."""
            calls.append(("time-rebuild", {"runs": runs}))

        self.collection = Collection(build, logs, time_rebuild)

    def run(self, words: str) -> list[tuple[str, dict[str, Any]]]:
        Program(namespace=self.collection).run(["invoke", *words.split()], exit=False)
        return self.calls


def build(*services: str, force: bool = False, device: str = "auto") -> tuple[str, dict[str, Any]]:
    return ("build", {"services": list(services), "force": force, "device": device})


def logs(*services: str, tail: int = 5) -> tuple[str, dict[str, Any]]:
    return ("logs", {"services": list(services), "tail": tail})


@pytest.mark.parametrize(
    ("words", "calls"),
    [
        ("build", [build()]),
        ("build a", [build("a")]),
        ("build a b c", [build("a", "b", "c")]),
        ("build --force a b", [build("a", "b", force=True)]),
        ("build a --force b", [build("a", "b", force=True)]),
        ("build a b --device cpu", [build("a", "b", device="cpu")]),
        ("build --device cpu a --force b", [build("a", "b", force=True, device="cpu")]),
        ("build --device=cpu a", [build("a", device="cpu")]),
        ("build a --services b", [build("a", "b")]),
        ("build a logs b", [build("a"), logs("b")]),
        ("build logs", [build(), logs()]),
        ("build a time-rebuild", [build("a"), ("time-rebuild", {"runs": 3})]),
        ("logs --tail 7 a build b", [logs("a", tail=7), build("b")]),
        ("build a build b", [build("a"), build("b")]),
    ],
)
def test_words_after_a_task(words: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
    assert Recorder().run(words) == calls


@pytest.mark.parametrize(
    ("words", "unknown"), [("time-rebuild a", "a"), ("build a --nonsense", "--nonsense"), ("a build", "a")]
)
def test_words_that_fit_nowhere_are_refused(words: str, unknown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert Recorder().run(words) == []
    assert f"'{unknown}'" in capsys.readouterr().err


def test_help_and_list_name_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    with pytest.raises(SystemExit):
        Program(namespace=Recorder().collection).run(["invoke", "--list"])
    assert "time-rebuild" in output.getvalue()
