"""Words after a task, and what is refused: through Invoke's Program, which `layerstack` and `invoke` share."""

import io
import sys
from typing import Any

import pytest
from invoke.collection import Collection
from invoke.program import Program

from layerstack.tasks import task


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

        @task()
        def why(c: Any, image: str, json: bool = False) -> None:
            """One word that is required."""
            calls.append(("why", {"image": image, "json": json}))

        self.collection = Collection(build, logs, time_rebuild, why)

    def run(self, words: str) -> list[tuple[str, dict[str, Any]]]:
        """What was called, and by `exit_code` how it ended."""
        self.exit_code: Any = 0
        try:
            Program(namespace=self.collection).run(["invoke", *words.split()])
        except SystemExit as end:
            self.exit_code = end.code
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
        ("build a b --device cpu logs --tail 30 c", [build("a", "b", device="cpu"), logs("c", tail=30)]),
        ("build -f b", [build("b", force=True)]),
        ("logs -t 7 a", [logs("a", tail=7)]),
        ("logs -t7 a", [logs("a", tail=7)]),
        ("--echo build a", [build("a")]),
        ("build a --command-timeout 5 b", [build("a", "b")]),
        ("why build", [("why", {"image": "build", "json": False})]),
        ("why a --json build b", [("why", {"image": "a", "json": True}), build("b")]),
        ("why --image a build b", [("why", {"image": "a", "json": False}), build("b")]),
    ],
)
def test_words_after_a_task(words: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
    assert Recorder().run(words) == calls


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("time-rebuild a", ["`a`"]),
        ("a build", ["`a`"]),
        ("build a --nonsense", ["`--nonsense`", "--help build"]),
        ("bulid", ["`bulid`", "Did you mean build?"]),
        ("build --devcie cpu", ["`--devcie`", "Did you mean --device?"]),
        ("logs --tail abc", ["--tail", "`abc`"]),
        ("logs --tail=abc", ["--tail", "`abc`"]),
        ("logs --tail", ["tail"]),
        ("why", ["image"]),
        ("--help bulid", ["`bulid`", "Did you mean build?"]),
        ("--list --list-format xml", ["--list-format", "nested"]),
        ("--dyr build", ["`--dyr`", "Did you mean --dry?"]),
        ("--device cpu build", ["`--device`", "invoke build --device"]),
    ],
)
def test_what_is_none_is_refused_by_name(words: str, named: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    recorder = Recorder()
    assert recorder.run(words) == []
    assert recorder.exit_code == 2
    printed = capsys.readouterr().err
    assert [one for one in named if one not in printed] == []


def test_help_and_list_name_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    with pytest.raises(SystemExit):
        Program(namespace=Recorder().collection).run(["invoke", "--list"])
    assert "time-rebuild" in output.getvalue()


@pytest.mark.parametrize(
    ("words", "option"), [("build --help", "--device"), ("why --help", "--json"), ("build why -h", "--json")]
)
def test_the_help_of_a_task_explains_its_options(words: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert Recorder().run(words) == []
    assert option in capsys.readouterr().out
