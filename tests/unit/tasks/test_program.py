"""The `layerstack` command as a stranger runs it: in a process of its own, in a folder of their own."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from layerstack import __version__
from layerstack.deploy.deploy import Deployment
from layerstack.deploy.stack_file import StackFile
from layerstack.deploy.text import print_file
from layerstack.run import stack
from layerstack.tasks.program import AsTyped

ROOT = Path(__file__).parents[3]
Outcome = subprocess.CompletedProcess[str]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project of two services, with a `docker` on PATH that knows only them."""
    (tmp_path / "bin").mkdir()
    docker = tmp_path / "bin/docker"
    config = "name: shop\nservices:\n  web: {image: w}\n  queue: {image: q}\n"
    docker.write_text(
        f'#!/bin/sh\ncase "$*" in\n  *config*) printf "{config}";;\n  *--print*) echo "{{}}";;\n  *) exit 99;;\nesac\n'
    )
    docker.chmod(0o755)
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "compose.yaml").write_text(config)
    return folder


def layerstack(folder: Path, *words: str) -> Outcome:
    return subprocess.run(
        [sys.executable, "-m", "layerstack", *words],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )


def environment(folder: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{folder.parent / 'bin'}:/usr/bin:/bin",
        "HOME": str(folder.parent),
        "COLUMNS": "80",
    }


def test_it_knows_its_version(shop: Path) -> None:
    assert layerstack(shop, "--version").stdout.split() == ["layerstack", __version__]


def test_without_words_it_shows_the_tasks_in_80_columns(shop: Path) -> None:
    outcome = layerstack(shop)
    assert outcome.returncode == 0
    assert "time-rebuild" in outcome.stdout
    assert max(map(len, outcome.stdout.splitlines())) <= 80


@pytest.mark.parametrize(("typed", "task"), [("biuld", "build"), ("stop", "down"), ("ps", "status")])
def test_a_typo_or_a_word_of_compose_is_wrong_usage_with_the_task_that_is_meant(
    shop: Path, typed: str, task: str
) -> None:
    outcome = layerstack(shop, typed)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert f"Did you mean {task}?" in outcome.stderr


def test_a_typo_with_json_is_one_document(shop: Path) -> None:
    document = json.loads(layerstack(shop, "build", "--frce", "--json").stdout)
    assert (document["ok"], document["exit_code"]) == (False, 2)


def test_a_value_that_is_no_number_is_wrong_usage_for_options_of_the_program_too(shop: Path) -> None:
    outcome = layerstack(shop, "--command-timeout", "abc", "status")
    assert outcome.returncode == 2
    assert "Traceback" not in outcome.stderr


def test_advice_names_the_command_that_was_typed(shop: Path) -> None:
    outcome = layerstack(shop, "no-such-thing-at-all")
    assert "`layerstack --list`" in outcome.stderr
    assert "invoke" not in outcome.stderr


def test_a_closed_pipe_leaves_no_traceback(shop: Path) -> None:
    line = f"set -o pipefail; {sys.executable} -m layerstack --list | true"
    outcome = subprocess.run(
        ["bash", "-c", line], cwd=shop, env=environment(shop), capture_output=True, text=True, check=False
    )
    assert outcome.stderr == ""
    assert outcome.returncode == 0


@pytest.mark.parametrize("where", ["at once", "while docker answers"])
def test_an_interrupt_ends_with_130_and_without_a_traceback(shop: Path, where: str) -> None:
    slow = shop.parent / "bin/docker"
    slow.write_text("#!/bin/sh\ntouch here\nexec sleep 30\n")
    # Says so as soon as the first line of the command has run.
    guarded = (
        "import signal; import layerstack.__main__ as command; install = signal.signal;"
        "signal.signal = lambda *given: (install(*given), print('on', flush=True)); command.main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", guarded, "status"],
        cwd=shop,
        env=environment(shop),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    deadline = time.monotonic() + 20
    while where != "at once" and not (shop / "here").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors


def test_tasks_beside_the_compose_file_are_listed_and_run(shop: Path) -> None:
    (shop / "tasks.py").write_text(
        "from invoke import task\n\n@task\ndef polish(c, target='here'):\n    '''Ours.'''\n    print('to', target)\n"
        "\n@task\ndef clean(c):\n    '''Not ours.'''\n    print('their clean')\n"
    )
    below = shop / "deep/down"
    below.mkdir(parents=True)
    assert "polish" in layerstack(shop, "--list").stdout
    assert layerstack(shop, "polish", "--target", "there").stdout == "to there\n"
    # The name of one of ours keeps its meaning wherever it is typed.
    assert "their clean" not in layerstack(shop, "--dry", "clean").stdout


def test_a_tasks_file_made_on_ours_decides_what_is_in_it(shop: Path) -> None:
    (shop / "tasks.py").write_text(
        "from layerstack import tasks\n\n@tasks.task()\ndef dev(c):\n    '''Mine.'''\n    print('my dev')\n\n"
        "namespace = tasks.namespace\nnamespace.add_task(dev)\n"
    )
    assert layerstack(shop, "dev").stdout == "my dev\n"
    assert "time-rebuild" in layerstack(shop, "--list").stdout


@pytest.mark.parametrize("text", ["from celery import Celery\nraise SystemExit\n", "this is no Python"])
def test_another_programs_tasks_file_is_not_run(shop: Path, text: str) -> None:
    (shop / "tasks.py").write_text(text)
    outcome = layerstack(shop, "--list")
    assert (outcome.returncode, outcome.stderr) == (0, "")


@pytest.mark.parametrize("text", ["import no_such_package", "raise SystemExit('no_such_package')"])
def test_a_tasks_file_that_cannot_be_imported_is_a_warning(shop: Path, text: str) -> None:
    (shop / "tasks.py").write_text(f"import invoke\n{text}\n")
    outcome = layerstack(shop, "--list")
    assert outcome.returncode == 0
    assert "no_such_package" in outcome.stderr
    assert "time-rebuild" in outcome.stdout


def test_what_a_tasks_file_prints_is_no_part_of_a_document(shop: Path) -> None:
    source = "# coding: latin-1\nfrom invoke import task\nprint('caf\xe9')\n@task\ndef polish(c):\n    \"Ours.\"\n"
    (shop / "tasks.py").write_bytes(source.encode("latin-1"))
    assert "polish" in layerstack(shop, "--list").stdout
    assert json.loads(layerstack(shop, "build", "--frce", "--json").stdout)["exit_code"] == 2


def test_advice_is_respelled_and_the_text_of_others_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", AsTyped(written))
    sys.stdout.write("`invoke build`\n")
    service = {"image": "h/web@sha256:1", "command": ["sh", "-c", "invoke build"]}
    print_file(Deployment("shop", StackFile({"services": {"web": service}}, ())))
    stack._print_log_line("stdout", "web-1 | runs invoke build")
    first, *others = written.getvalue().splitlines()
    assert first == "`layerstack build`"
    assert len([text for text in others if "invoke build" in text]) == 2


def test_a_folder_that_is_gone_is_wrong_usage(shop: Path) -> None:
    words = f"mkdir gone && cd gone && rmdir ../gone && {sys.executable} -m layerstack status"
    argv = ["sh", "-c", words]
    outcome = subprocess.run(argv, cwd=shop, env=environment(shop), capture_output=True, text=True, check=False)
    assert outcome.returncode == 2
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize(
    ("words", "some", "none"),
    [
        (["bu"], ["build", "build-bases"], ["web"]),
        (["up", ""], ["web", "queue", "verify"], ["--device"]),
        (["up", "web", "q"], ["queue"], []),
        (["up", "--"], ["--device", "--json"], ["--version"]),
        (["up", "--device", ""], ["auto", "gpu", "cpu"], ["web"]),
        (["why", ""], ["web"], ["up"]),
        (["--ver"], ["--version"], []),
    ],
)
def test_completion_offers(shop: Path, words: list[str], some: list[str], none: list[str]) -> None:
    offered = set(layerstack(shop, "--complete", "--", *words).stdout.split())
    assert offered >= set(some)
    assert not offered & set(none)


@pytest.mark.parametrize("words", [["impact", ""], ["logs", "--tail", ""], ["nonsense", "--"]])
def test_completion_leaves_the_rest_to_the_shell(shop: Path, words: list[str]) -> None:
    outcome = layerstack(shop, "--complete", "--", *words)
    assert (outcome.stdout, outcome.stderr, outcome.returncode) == ("", "", 0)


def test_bash_completes_services(shop: Path) -> None:
    program = shop.parent / "bin/layerstack"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m layerstack "$@"\n')
    program.chmod(0o755)
    script = (
        'eval "$(layerstack --print-completion-script bash)"; COMP_WORDS=(layerstack up qu); COMP_CWORD=2;'
        ' _layerstack; echo "${COMPREPLY[*]}"'
    )
    outcome = subprocess.run(
        ["bash", "-c", script], cwd=shop, env=environment(shop), capture_output=True, text=True, check=False
    )
    assert outcome.stdout.split() == ["queue"]


def test_an_unknown_shell_is_wrong_usage(shop: Path) -> None:
    assert layerstack(shop, "--print-completion-script", "tcsh").returncode == 2
