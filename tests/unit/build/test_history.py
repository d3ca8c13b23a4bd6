"""Builds over time: a line each, whole, also when two write at once or one was cut off."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from layerstack.build import history
from layerstack.build.record import BuildRecord, ImageRecord, StepRecord
from layerstack.state_folder import state_folder

WRITER = """
import sys
from pathlib import Path
from layerstack.build import history
history._commit = lambda root: {}
for number in range(40):
    history.append(Path(sys.argv[1]), "build", {"who": sys.argv[2], "number": number, "filler": "x" * 20000})
"""


def built(image: str, seconds: float) -> dict[str, Any]:
    return {"images": [{"image": image, "action": "built", "seconds": seconds}]}


def file_of(root: Path) -> Path:
    return state_folder(root) / "history.jsonl"


def test_records_come_back_oldest_first_with_kind_and_time(tmp_path: Path) -> None:
    for number in range(3):
        history.append(tmp_path, "build" if number % 2 == 0 else "rebuild", {"number": number})
    records = list(history.read(tmp_path))
    assert [(record["kind"], record["number"]) for record in records] == [("build", 0), ("rebuild", 1), ("build", 2)]
    assert records[0]["time"] <= records[2]["time"]
    assert [record["number"] for record in history.read(tmp_path, "build")] == [0, 2]


def test_nothing_written_means_no_records(tmp_path: Path) -> None:
    assert list(history.read(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_commit_and_changes_are_noted_in_a_checkout(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    (tmp_path / "file").write_text("1")
    for words in (["init", "--quiet"], ["add", "file"], ["commit", "--quiet", "--message", "first"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    history.append(tmp_path, "build", {})
    (tmp_path / "file").write_text("2")
    history.append(tmp_path, "build", {})
    clean, dirty = history.read(tmp_path)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert head.stdout.startswith(clean["commit"])
    assert (clean["dirty"], dirty["dirty"]) == (False, True)


def test_outside_a_checkout_there_is_no_commit(tmp_path: Path) -> None:
    history.append(tmp_path, "build", {})
    [record] = history.read(tmp_path)
    assert "commit" not in record


def test_corrupt_lines_are_passed_over(tmp_path: Path) -> None:
    history.append(tmp_path, "build", built("a", 4))
    with file_of(tmp_path).open("ab") as file:
        file.write(b'{"kind": "build", "cut o\n\n[1, 2]\n"text"\nnull\n\xff\xfe\n')
    history.append(tmp_path, "build", built("a", 6))
    assert [record["images"][0]["seconds"] for record in history.read(tmp_path)] == [4, 6]


def test_a_line_after_one_that_was_cut_off_is_not_lost(tmp_path: Path) -> None:
    """Killed while writing: the last line has no end."""
    history.append(tmp_path, "build", {"number": 1})
    with file_of(tmp_path).open("a") as file:
        file.write('{"kind": "bui')
    history.append(tmp_path, "build", {"number": 2})
    assert [record["number"] for record in history.read(tmp_path)] == [1, 2]


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), who]) for who in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    lines = [json.loads(line) for line in file_of(tmp_path).read_text().splitlines()]
    for who in "ab":
        assert [line["number"] for line in lines if line["who"] == who] == list(range(40))


def test_a_line_holds_long_instructions_cut(tmp_path: Path) -> None:
    step = StepRecord(step="deps 2/2 RUN " + "x " * 500, is_cached=False, seconds=1, place="a/Dockerfile:3")
    steps = (step, msgspec.structs.replace(step, step="1/1 COPY\n  . ."))
    history.append_build(tmp_path, BuildRecord(images=(ImageRecord(image="a", action="built", steps=steps),)))
    [build] = history.read_builds(tmp_path)
    long, short = build.images[0].steps
    assert len(long.step) <= history.KEPT_STEP_CHARACTERS
    assert long.step.startswith("deps 2/2 RUN x x")
    assert (long.seconds, long.place) == (1, "a/Dockerfile:3")
    assert short.step == "1/1 COPY . ."


def test_a_file_that_grew_too_large_loses_its_oldest_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_BYTES", 10_000)
    for number in range(100):
        history.append(tmp_path, "build", {"number": number, "filler": "ü" * 100})
        assert file_of(tmp_path).stat().st_size <= 10_000
    numbers = [record["number"] for record in history.read(tmp_path)]
    assert numbers == list(range(numbers[0], 100))
    assert 5 < len(numbers) < 20
