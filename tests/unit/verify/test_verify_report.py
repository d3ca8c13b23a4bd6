"""What verify prints and writes: the diagnosis first, every link, a JUnit file."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from verify_parts import UNHEALTHY, failed, make_container, make_result

from layerstack.errors import UsageError
from layerstack.verify.checks import CheckResult
from layerstack.verify.diagnosis import Diagnosis
from layerstack.verify.junit import write_junit
from layerstack.verify.verify import VerifyReport
from layerstack.verify.verify_text import print_verify, wait_observer

DIAGNOSIS = Diagnosis("db", "is paused", "running: is paused\x1b[0m", "docker unpause shop-db-1", "paused")
OTHER = Diagnosis("pose", "is slow", "", "invoke up", "not-ready-yet", "wait", can_pass=True)


def broken(*diagnoses: Diagnosis) -> VerifyReport:
    links = (CheckResult("image", True, 0, "db:1", "image"), failed("running", "is paused", link="running"))
    asked = (failed("page", "not asked: [the] container is paused", is_asked=False, because_of="db"),)
    db = make_result(make_container("db", status="paused"), *links, *asked, verdict=UNHEALTHY, name="db")
    api = make_result(make_container("api"), failed("reach", "GET → 503", because_of="db"))
    return VerifyReport(1.5, "cpu", (db, api), diagnoses)


def test_the_first_line_is_service_cause_and_repair(capsys: pytest.CaptureFixture[str]) -> None:
    print_verify(broken(DIAGNOSIS, OTHER))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "db: is paused → `docker unpause shop-db-1`"
    assert "also pose: is slow → wait, then `invoke up`" in lines
    assert any("because of db: GET → 503" in line for line in lines)
    assert any("[the] container" in line for line in lines)


def test_a_healthy_stack_is_said_first_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    fine = make_result(make_container("db"), CheckResult("running", True, 0, "up 3 s", "running"), name="db")
    print_verify(VerifyReport(0.25, "cpu", (fine,), engine_host="far.test"))
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "everything works on cpu (0.2 s, engine on far.test)"
    assert any("up 3 s" in line for line in rest)


def test_the_document_has_all_diagnoses_and_every_link() -> None:
    document = json.loads(json.dumps(broken(DIAGNOSIS, OTHER).to_json()))
    assert (document["ok"], document["diagnosis"]["kind"], document["also"][0]["service"]) == (False, "paused", "pose")
    db = document["services"][0]
    assert [(one["check"], one["link"], one["asked"]) for one in db["checks"]] == [
        ("image", "image", True),
        ("running", "running", True),
        ("page", "declared", False),
    ]


def test_a_report_can_turn_good_only_when_all_its_faults_can() -> None:
    assert broken(OTHER).can_turn_good
    assert not broken(DIAGNOSIS, OTHER).can_turn_good
    assert not VerifyReport(0, "cpu", ()).can_turn_good


def test_waiting_is_told_once_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    tell = wait_observer()
    for _ in range(3):
        tell(broken(OTHER))
    assert capsys.readouterr().err.splitlines() == ["waiting (1.5 s): pose is slow"]


def test_junit_has_a_case_for_every_link(tmp_path: Path) -> None:
    write_junit(broken(DIAGNOSIS), tmp_path / "verify.xml")
    root = ElementTree.parse(tmp_path / "verify.xml").getroot()
    assert {name: root.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "4",
        "failures": "2",
        "skipped": "1",
    }
    kinds = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert kinds == {"image": [], "running": ["failure"], "page": ["skipped"], "reach": ["failure"]}
    types = [one.get("type") for one in root.iter("failure")]
    assert types == ["paused", "consequence"]
    assert "docker unpause" in (next(root.iter("failure")).text or "")


def test_a_junit_file_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="JUnit"):
        write_junit(broken(DIAGNOSIS), tmp_path / "gone" / "verify.xml")


def test_what_was_not_checked_is_neither_well_nor_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unasked = CheckResult("answer", True, 0, "not checked: no port", is_asked=False)
    report = VerifyReport(0.1, "cpu", (make_result(make_container("db"), unasked, name="db"),))
    print_verify(report)
    line = next(line for line in capsys.readouterr().out.splitlines() if "not checked" in line)
    assert "✓" not in line
    write_junit(report, tmp_path / "verify.xml")
    (suite,) = ElementTree.parse(tmp_path / "verify.xml").getroot()
    assert (suite.get("skipped"), suite.get("failures")) == ("1", "0")
