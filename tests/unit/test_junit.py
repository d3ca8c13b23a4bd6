"""JUnit files: what CI systems count, and what no XML may hold."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from layerstack.errors import BuildFailed, UsageError
from layerstack.junit import Case, write_junit
from layerstack.tasks.junit_report import junit_report

CASES = (
    Case("web", "image", 0.5),
    Case("web", "page", 1.0, "failure", "is \x1b[2J gone\uffff", "paused", "log\n→ `docker unpause web`"),
    Case("db", "answer", 0.0, "skipped", "not asked"),
)


def read(path: Path) -> ElementTree.Element:
    return ElementTree.parse(path).getroot()


def test_a_suite_a_service_and_a_case_a_check(tmp_path: Path) -> None:
    write_junit(tmp_path / "x.xml", "verify", CASES, 2.0)
    root = read(tmp_path / "x.xml")
    assert [root.get(name) for name in ("name", "tests", "failures", "skipped", "time")] == [
        "verify",
        "3",
        "1",
        "1",
        "2.000",
    ]
    assert [suite.get("name") for suite in root] == ["web", "db"]
    kinds = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert kinds == {"image": [], "page": ["failure"], "answer": ["skipped"]}
    (failure,) = root.iter("failure")
    assert (failure.get("type"), failure.get("message")) == ("paused", "is \\x1b[2J gone ")
    assert "docker unpause" in (failure.text or "")


def test_a_file_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="JUnit"):
        write_junit(tmp_path / "gone" / "x.xml", "verify", CASES, 0.0)


def test_a_missing_folder_is_wrong_usage_before_anything_is_done(tmp_path: Path) -> None:
    done: list[str] = []
    with pytest.raises(UsageError, match="folder"), junit_report("build", str(tmp_path / "gone" / "x.xml")):
        done.append("built")
    assert done == []


def test_a_failed_build_stays_one_where_the_file_cannot_be_written(tmp_path: Path) -> None:
    # A folder of that name: only writing it shows that.
    with pytest.raises(BuildFailed), junit_report("build", str(tmp_path)):
        raise BuildFailed("api/Dockerfile:3 failed", "mend it")


def test_a_task_that_fails_before_it_could_check_is_one_failure(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed), junit_report("build", str(tmp_path / "x.xml")):
        raise BuildFailed("api/Dockerfile:3 failed", "mend it")
    (case,) = read(tmp_path / "x.xml").iter("testcase")
    (failure,) = case
    assert (failure.tag, failure.get("type"), failure.get("message")) == (
        "failure",
        "BuildFailed",
        "api/Dockerfile:3 failed",
    )


def fail_after(case: Case, path: Path) -> None:
    with junit_report("build", str(path)) as cases:
        cases.append(case)
        raise BuildFailed("the same")


def test_a_failed_check_is_not_reported_twice(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed):
        fail_after(CASES[1], tmp_path / "x.xml")
    assert len(list(read(tmp_path / "x.xml").iter("testcase"))) == 1


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with junit_report("build", ""):
        pass
    assert not list(tmp_path.iterdir())
