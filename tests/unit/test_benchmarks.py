"""The benchmarks: that a copy touches nothing of the user's, that both sides do the same work, that a miss is told."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cache_parts
import pytest

from benchmarks import build_cache, causes, dependencies, document, profile_text, run, samples, scratch, serving
from benchmarks.options import Options
from benchmarks.rows import ROWS, Row
from benchmarks.samples import Goal, Measurement, Samples
from layerstack.errors import BuildFailed, CheckFailed

ROOT = Path(__file__).parents[2]
MACHINE = {"cores": "2"}
OWN_NAME = re.compile(r"(?<![\w-])(base-node|base-python|snowboarding-\w+)")


def copied(folder: Path) -> scratch.Scratch:
    """The files that name images, in a copy that was renamed."""
    copy = scratch.Scratch(folder / "copy", "bench1", {})
    shutil.copytree(ROOT, copy.root, ignore=shutil.ignore_patterns(*scratch.LEFT_OUT), symlinks=True)
    scratch._rename_everything(copy)
    return copy


def test_both_sides_take_turns() -> None:
    order: list[str] = []

    def note(side: str) -> float:
        order.append(side)
        return float(len(order))

    found = samples.alternate(2, lambda: note("ours"), lambda: note("theirs"))
    assert order == ["ours", "theirs", "ours", "theirs"]
    assert found == Samples((1.0, 3.0), (2.0, 4.0))


@pytest.mark.parametrize(
    ("ours", "theirs", "goal", "is_met"),
    [
        ((1.0, 9.0, 1.0), (2.0,), Goal("ratio", 0.5), True),
        ((1.1,), (2.0,), Goal("ratio", 0.5), False),
        ((0.3,), (), Goal("seconds", 0.3), True),
        ((1.0,), (), Goal("count", 0), False),
    ],
)
def test_a_goal_limits_the_medians(
    ours: tuple[float, ...], theirs: tuple[float, ...], goal: Goal, is_met: bool
) -> None:
    found = Samples(ours, theirs)
    assert found.meets(goal) is is_met
    assert samples.profile_if_missed(found, goal, lambda: "profile") == ("" if is_met else "profile")


def test_a_ratio_needs_the_other_side() -> None:
    with pytest.raises(ValueError, match="both sides"):
        Samples((1.0,)).value(Goal("ratio", 1))


def test_a_copy_names_no_image_of_the_user(tmp_path: Path) -> None:
    copy = copied(tmp_path)
    files = {path for pattern in scratch.DEFINITIONS for path in copy.root.glob(pattern)}
    assert {"docker-bake.hcl", "docker-compose.yml", "docker-compose.cpu.yml", "build-and-start.sh"} <= {
        path.name for path in files
    }
    assert {
        str(path.relative_to(copy.root)): found for path in files if (found := OWN_NAME.findall(path.read_text()))
    } == {}
    assert "name: bench1\n" in (copy.root / "docker-compose.yml").read_text()
    bases = list((copy.root / "docker").glob("bench1-base-*/Dockerfile"))
    assert len(bases) == 3
    assert all(f"LABEL {scratch.LABEL}=bench1" in path.read_text() for path in bases)
    # Only what names images: a renamed package would be another build.
    assert (copy.root / "backend/package.json").read_bytes() == (ROOT / "backend/package.json").read_bytes()


def test_only_marked_records_and_what_stands_on_them_are_removed() -> None:
    records = [
        cache_parts.record("below", description="RUN true"),
        cache_parts.record("own", parents="below", description="RUN : bench1n2"),
        cache_parts.record("above", parents="own other", description="RUN npm ci"),
        cache_parts.record("top", parents="above"),
        cache_parts.record("other", parents="below", description="RUN : bench2n2"),
    ]
    assert build_cache.marked(records, "bench1n2") == {"own", "above", "top"}


@pytest.fixture
def docker_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker command that writes its arguments down, and the script in a folder with a .env."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    program.chmod(0o755)
    (tmp_path / "benchmarks").mkdir()
    shutil.copy(ROOT / "benchmarks/build-and-start.sh", tmp_path / "benchmarks")
    (tmp_path / ".env").write_text("DEVICE=cpu\nNODE_IMAGE=own/node:1\n")
    for name in ("DEVICE", "NODE_IMAGE", "PYTHON_IMAGE", "CUDA_RUNTIME_IMAGE", "CUDA_DEVEL_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "calls"


def run_script(calls: Path, *parts: str) -> list[str]:
    subprocess.run(["bash", str(calls.parent / "benchmarks/build-and-start.sh"), *parts], check=True)
    return calls.read_text().splitlines()


def test_the_script_builds_with_the_remembered_choices(docker_calls: Path) -> None:
    assert run_script(docker_calls, "bases", "services", "start") == [
        "build --build-arg=NODE_IMAGE=own/node:1 --tag base-node:latest ./docker/base-node",
        "build --tag base-python:latest ./docker/base-python",
        "build --build-context requirements=./requirements --target cpu --tag base-python-pose:cpu "
        "./docker/base-python-pose",
        "compose build",
        "compose up --detach",
    ]


def test_in_the_script_the_environment_goes_before_the_remembered_choices(
    docker_calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEVICE", "gpu")
    monkeypatch.setenv("NODE_IMAGE", "other/node:2")
    calls = run_script(docker_calls, "bases")
    assert "--build-arg=NODE_IMAGE=other/node:2 " in calls[0]
    assert "--target gpu --tag base-python-pose:latest" in calls[2]


@pytest.mark.parametrize(
    ("install", "path"),
    [
        (dependencies.PYTHON, "docker/base-python-pose/Dockerfile"),
        (dependencies.NODE, "backend/Dockerfile"),
    ],
)
def test_the_plain_install_step_is_the_same_without_cache_and_uv(install: dependencies.Install, path: str) -> None:
    (step,) = install.step.findall((ROOT / path).read_text())
    plain = install.plain(step)
    assert "type=cache" in step
    assert "type=cache" not in plain
    assert plain.count("type=bind") == step.count("type=bind")
    assert "uv pip" not in plain


def test_every_addition_to_the_python_lock_is_one_more_package() -> None:
    lock, spare = ((ROOT / name).read_text() for name in (dependencies.PYTHON_LOCK, dependencies.SPARE_LOCK))
    names = []
    for _ in range(3):
        longer = dependencies.add_locked_package(lock, spare)
        added = re.findall(r"(?m)^([\w.-]+)==", longer[len(lock.rstrip()) :])
        assert "--hash=sha256:" in longer[len(lock.rstrip()) :]
        names += added
        lock = longer
    assert len(set(names)) == 3


def test_the_added_npm_package_is_a_production_one_in_both_files() -> None:
    package, lock = (
        json.loads((ROOT / "backend" / name).read_text()) for name in ("package.json", "package-lock.json")
    )
    before = set(package["dependencies"])
    dependencies.promote_package(package, lock)
    (name,) = set(package["dependencies"]) - before
    assert name not in package["devDependencies"]
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    assert lock["packages"][""]["devDependencies"] == package["devDependencies"]
    assert "dev" not in lock["packages"][f"node_modules/{name}"]


def test_every_marked_source_answers_with_its_own_mark_only() -> None:
    source = (ROOT / serving.EDITED).read_text()
    first = serving.mark_source(source, "aaa")
    second = serving.mark_source(first, "bbb")
    assert first.count("'aaa'") == 1
    assert (second.count("'aaa'"), second.count("'bbb'")) == (0, 1)


def test_the_cause_that_is_timed_is_the_right_one(tmp_path: Path) -> None:
    causes.write_project(tmp_path, 20)
    with pytest.raises(CheckFailed, match="nothing was remembered"):
        causes.find_cause(tmp_path)
    causes.remember(tmp_path)
    (tmp_path / "src/folder07/file00007.txt").write_text("changed\n")
    cause = causes.find_cause(tmp_path)
    assert (cause.kind, cause.detail) == ("file-content", "src/folder07/file00007.txt changed")


def test_a_profile_names_functions_and_no_folders(tmp_path: Path) -> None:
    causes.write_project(tmp_path, 20)
    causes.remember(tmp_path)
    text = profile_text.of_call(lambda: causes.find_cause(tmp_path))
    assert "find_cause" in text
    assert str(ROOT) not in text
    assert str(tmp_path) not in text


def rows_that(values: dict[str, float], refusal: str = "") -> tuple[Row, ...]:
    def measure(value: float) -> Measurement:
        return Measurement(Samples((value,), (1.0,)), ("a remark",), "" if value <= 1 else "the profile")

    return tuple(
        Row(
            name,
            f"what {name} is",
            "the rest",
            Goal("ratio", 1),
            lambda *_, value=value: measure(value),
            lambda _: refusal,
        )
        for name, value in values.items()
    )


def measured(monkeypatch: pytest.MonkeyPatch, folder: Path, rows: tuple[Row, ...], *words: str) -> tuple[int, str]:
    monkeypatch.setattr(run, "ROWS", rows)
    monkeypatch.setattr(document, "ROWS", rows)
    monkeypatch.setattr(run, "read_machine_facts", lambda: MACHINE)
    code = run.main([*words, "--runs", "1", "--output", str(folder)])
    return code, (folder / "benchmarks.md").read_text()


def test_a_missed_goal_is_told_with_its_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, page = measured(monkeypatch, tmp_path, rows_that({"good": 0.5, "bad": 2.0}))
    assert code == 1
    assert "| what good is | the rest | 0.500 s | 1.00 s | 0.50 | ≤ 1 × | yes |" in page
    assert "| what bad is | the rest | 2.00 s | 1.00 s | 2.00 | ≤ 1 × | **no** |" in page
    assert "### bad\n\n```\nthe profile\n```" in page


def test_single_rows_keep_what_was_measured_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    measured(monkeypatch, tmp_path, rows_that({"first": 0.5, "second": 0.6}))
    code, page = measured(monkeypatch, tmp_path, rows_that({"first": 0.7, "second": 0.9}), "--only", "second")
    assert code == 0
    assert "0.500 s" in page
    assert "0.900 s" in page


def test_a_row_that_fails_stops_no_other_and_is_no_pass(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: Any) -> Measurement:
        raise BuildFailed("The disk is full.")

    broken = Row("broken", "what fails", "the rest", Goal("ratio", 1), fail)
    code, page = measured(monkeypatch, tmp_path, (broken, *rows_that({"good": 0.5})))
    assert code == BuildFailed.exit_code
    assert "| what fails | the rest | | | | ≤ 1 × | not measured |" in page
    assert "0.500 s" in page


def test_results_of_another_machine_are_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    measured(monkeypatch, tmp_path, rows_that({"one": 0.5}))
    assert document.read_results(tmp_path / "benchmarks.json", MACHINE)["rows"].keys() == {"one"}
    assert document.read_results(tmp_path / "benchmarks.json", {"cores": "64"})["rows"] == {}


def test_what_a_row_said_before_is_kept_beside_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for value in (0.5, 0.7, 0.6):
        measured(monkeypatch, tmp_path, rows_that({"one": value}))
    row = document.read_results(tmp_path / "benchmarks.json", MACHINE)["rows"]["one"]
    assert (row["value"], [before["value"] for before in row["earlier"]]) == (0.6, [0.5, 0.7])


def test_a_refused_row_is_no_pass_and_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, page = measured(monkeypatch, tmp_path, rows_that({"wide": 0.5}, "the disk is small"))
    assert code == 0
    assert "not measured: the disk is small" in page


def test_pruning_needs_leave() -> None:
    (row,) = [row for row in ROWS if row.name == "start-without-cache"]
    assert "--allow-prune" in row.refusal(Options(1))
    assert row.refusal(Options(1, may_prune=True)) == ""


@pytest.mark.parametrize("name", ["pose-photos", "pose-steadiness"])
def test_labelled_photos_are_brought_along(name: str) -> None:
    row = next(row for row in ROWS if row.name == name)
    assert "--photos" in row.refusal(Options(1))
    assert row.refusal(Options(1, photos=Path("labels"))) == ""


@pytest.mark.parametrize("words", [("--runs", "0"), ("--runs", "some"), ("--only", "nothing")])
def test_a_wrong_request_is_wrong_usage(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        run.main(words)
    assert caught.value.code == 2
