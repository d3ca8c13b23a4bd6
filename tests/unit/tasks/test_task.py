"""How tasks end: exit codes, texts, documents; through the real `invoke` on a tasks.py of the tests' own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

TASKS = """
from layerstack import errors
from layerstack.tasks import task


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
def judged(c, json=False):
    \"\"\"Print a verdict, and fail by it.\"\"\"
    from layerstack.report import print_json
    print_json({"ok": False, "verdict": "wrong"})
    raise errors.CheckFailed("it is wrong")


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
def away(c):
    \"\"\"Run a docker command that finds no engine.\"\"\"
    from layerstack import command
    said = "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1"
    command.run(["sh", "-c", said]).require()


@task()
def bug(c):
    \"\"\"Be wrong.\"\"\"
    raise ZeroDivisionError


@task()
def full(c):
    \"\"\"Fill the disk.\"\"\"
    raise OSError(28, "No space left on device")


@task()
def much(c):
    \"\"\"Write more than a reader takes.\"\"\"
    for _ in range(100_000):
        print("line")


@task()
def fine(c):
    \"\"\"Do it.\"\"\"
    print("done")
"""
ROOT = Path(__file__).parents[3]
CALLS = [
    *(("checkfailed", 1), ("usageerror", 2), ("engineerror", 3), ("buildfailed", 4), ("startfailed", 5)),
    *(
        ("gpumissing", 6),
        ("interrupt", 130),
        ("fine", 0),
        ("command", 1),
        ("away", 3),
        ("--dry bug", 0),
        ("nonsense", 2),
    ),
    *(("usageerror --json", 2), ("checkfailed --json", 1), ("judged --json", 1), ("bug", 1), ("full", 7)),
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


def test_a_failed_check_with_json_is_one_document_whenever_it_fails(outcomes: dict[str, Future[Outcome]]) -> None:
    assert json.loads(outcomes["judged --json"].result().stdout) == {"ok": False, "verdict": "wrong"}
    # A registry that refuses an image before anything could be reported.
    document = json.loads(outcomes["checkfailed --json"].result().stdout)
    assert (document["ok"], document["error"], document["exit_code"]) == (False, "CheckFailed happened", 1)


def test_dry_runs_nothing_and_says_so(outcomes: dict[str, Future[Outcome]]) -> None:
    outcome = outcomes["--dry bug"].result()
    assert outcome.stdout == ""
    assert "Be wrong." in outcome.stderr


def test_a_reader_that_has_seen_enough_is_no_failure(outcomes: dict[str, Future[Outcome]], tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(TASKS)
    line = f"set -o pipefail; {sys.executable} -m invoke much | head -1"
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    outcome = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "line\n", "")
