"""What verify prints and writes: the diagnosis first, every link, a JUnit file."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from compose_project import load
from verify_parts import UNHEALTHY, failed, make_container, make_project, make_result

from layerstack.verify import verify
from layerstack.verify.checks import CheckResult
from layerstack.verify.diagnosis import Diagnosis
from layerstack.verify.junit import cases_of
from layerstack.verify.state_links import CLOSED
from layerstack.verify.unapplied import Unapplied, apply_first
from layerstack.verify.verify import VerifyReport
from layerstack.verify.verify_text import print_verify, wait_observer

DIAGNOSIS = Diagnosis("paused", "is paused", "docker unpause shop-db-1", "", "db", "running: is paused\x1b[0m")
GOOD = VerifyReport(1.5, "cpu", ())
FAILED = Diagnosis("reports-failure", "responds with status down", "invoke logs api", "", "api")
OTHER = Diagnosis("not-ready-yet", "is slow", "invoke up", "wait", "pose")


def broken(*diagnoses: Diagnosis) -> VerifyReport:
    links = (CheckResult("image", True, 0, "db:1", "image"), failed("running", "is paused", link="running"))
    asked = (failed("page", "not asked: [the] container is paused", is_asked=False, because_of="db"),)
    db = make_result(make_container("db", status="paused"), *links, *asked, verdict=UNHEALTHY, name="db")
    api = make_result(make_container("api"), failed("reach", "GET → 503", because_of="db"))
    return VerifyReport(1.5, "cpu", (db, api), diagnoses)


def test_the_first_line_is_service_cause_and_repair_and_the_evidence_stands_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_verify(broken(DIAGNOSIS, OTHER))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "db: is paused → `docker unpause shop-db-1`"
    assert lines[-3:] == ["also pose: is slow → wait, then `invoke up`", "db:", "  | running: is paused"]


def test_a_report_that_leaves_a_service_out_is_not_all(tmp_path: Path) -> None:
    project, _ = load(tmp_path, "services:\n  db: {image: db}\n  api: {image: api}\n  off: {image: off, scale: 0}\n")
    well = [make_result(make_container(name), name=name) for name in ("db", "api")]
    assert VerifyReport(0.1, "cpu", tuple(well)).says_all_of(project)
    assert not VerifyReport(0.1, "cpu", tuple(well[:1])).says_all_of(project)
    assert not broken(DIAGNOSIS).says_all_of(project)


def test_faults_that_one_command_repairs_stand_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    absent = [
        Diagnosis("image-missing", "is not built", "invoke build", "", name, f"no {name}") for name in ("a", "b", "c")
    ]
    print_verify(broken(DIAGNOSIS, *absent))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4:-2] == ["also a: is not built → `invoke build`; likewise b, c", "  | no a"]


def test_a_broken_service_shows_its_own_faults_and_another_one_whose_fault_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_verify(broken(DIAGNOSIS))
    rows = [" ".join(row.split()) for row in capsys.readouterr().out.splitlines()]
    assert rows[2:4] == ["✗ db paused is paused", "✗ api running fails because of db"]


def test_all_shows_every_link_with_its_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    print_verify(broken(DIAGNOSIS), shows_all=True)
    rows = [" ".join(row.split()) for row in capsys.readouterr().out.splitlines()]
    assert "- page: because of db: not asked: [the] container is paused (1 ms)" in rows
    assert "✗ api running reach: because of db: GET → 503 (1 ms)" in rows


def test_a_healthy_stack_is_a_line_a_service_and_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    checks = (
        CheckResult("running", True, 0, "up 3 s", "running"),
        *(CheckResult(f"asks-for-{number}", True, 9, "GET http://127.0.0.1:5000/health → 200") for number in range(4)),
    )
    services = tuple(make_result(make_container(name), *checks, name=name) for name in "abcdefgh")
    print_verify(VerifyReport(0.25, "cpu", services, engine_host="far.test"))
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "everything works on cpu (0.2 s, engine on far.test)"
    assert len(rest) == 1 + len(services)
    assert all(len(row) <= 80 for row in rest)
    assert all("asks-for-0, asks-for-1" in row for row in rest[1:])


def test_what_was_not_asked_is_not_called_checked(capsys: pytest.CaptureFixture[str]) -> None:
    silent = CheckResult("answer", True, 0, "not checked: it has no port", is_asked=False)
    print_verify(VerifyReport(0.25, "cpu", (make_result(make_container("db"), silent, name="db"),)))
    assert "only that it runs" in capsys.readouterr().out
    print_verify(VerifyReport(0.25, "cpu", (make_result(make_container("db"), silent, name="db"),)), shows_all=True)
    assert "✓" not in capsys.readouterr().out


def test_what_a_container_wrote_cannot_clear_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    print_verify(broken(Diagnosis("paused", "is \x1b[2Jgone", "x", "", "db", "\x1b[31mred\x1b[0m \x1b]0;title\x07")))
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "is \\x1b[2Jgone" in text
    assert "  | red \\x1b]0;title\\x07" in text


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
    assert capsys.readouterr().err.splitlines() == ["waiting (1.5 s): pose: is slow"]


@pytest.mark.parametrize(
    ("rounds", "ends_with"),
    [
        ((broken(FAILED), GOOD), GOOD),
        ((broken(OTHER), broken(FAILED), GOOD), GOOD),
        ((broken(FAILED), broken(FAILED), GOOD), broken(FAILED)),
        # What the engine itself knows is certain at once.
        ((broken(DIAGNOSIS), GOOD), broken(DIAGNOSIS)),
    ],
)
def test_a_failed_request_is_believed_when_the_next_one_fails_too(
    rounds: tuple[VerifyReport, ...], ends_with: VerifyReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter(rounds)
    monkeypatch.setattr(verify, "look_once", lambda *_: next(found))
    monkeypatch.setattr(verify, "_with_unapplied", lambda _client, _project, report: report)
    monkeypatch.setattr(verify, "POLL_SECONDS", 0)
    monkeypatch.setattr(verify.engine, "client", lambda: None)
    monkeypatch.setattr(verify, "find_place", lambda: None)
    ended = verify.verify(make_project({"db": {}, "api": {}}, Path()), 5)
    assert replace(ended, seconds=0) == replace(ends_with, seconds=0)


def test_junit_has_a_case_for_every_link() -> None:
    cases = {case.name: case for case in cases_of(broken(DIAGNOSIS))}
    outcomes = {"image": "passed", "running": "failure", "page": "skipped", "reach": "failure"}
    assert {name: case.outcome for name, case in cases.items()} == outcomes
    assert (cases["running"].kind, cases["reach"].kind) == ("paused", "consequence")
    assert "docker unpause" in cases["running"].text


def test_what_was_not_checked_is_neither_well_nor_broken(capsys: pytest.CaptureFixture[str]) -> None:
    unasked = CheckResult("answer", True, 0, "not checked: no port", is_asked=False)
    report = VerifyReport(0.1, "cpu", (make_result(make_container("db"), unasked, name="db"),))
    print_verify(report)
    shown = " ".join(capsys.readouterr().out.split())
    assert "not checked" in shown
    assert "✓" not in shown
    assert [case.outcome for case in cases_of(report)] == ["skipped"]


def test_a_port_that_was_not_checked_is_said_although_the_health_check_passes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    health = CheckResult("health check", True, 0, "healthy", "health")
    closed = CheckResult("port 80", True, 0, "not checked: nothing listens", "port", is_asked=False)
    print_verify(VerifyReport(0.1, "cpu", (make_result(make_container("db"), health, closed, name="db"),)))
    shown = " ".join(capsys.readouterr().out.split())
    assert "health check; not checked: nothing listens" in shown


def test_a_port_that_is_not_open_yet_is_waited_for_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    closed = CheckResult("port 80", True, 0, f"not checked: 80 is published, and {CLOSED}", "port", is_asked=False)
    running = CheckResult("running", True, 0, "up", "running")
    report = VerifyReport(0.1, "cpu", (make_result(make_container("db"), running, closed, name="db"),))
    assert report.can_turn_good
    print_verify(report)
    shown = " ".join(capsys.readouterr().out.split())
    assert "nothing listens on port 80 of db yet" in shown
    assert "✓" not in shown


def test_what_was_edited_and_not_applied_is_told_and_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    edited = (Unapplied("db", "environment COLOUR"),)
    print_verify(replace(GOOD, unapplied=edited))
    assert "environment COLOUR) → `invoke up db`" in " ".join(capsys.readouterr().out.split())
    assert apply_first(DIAGNOSIS, edited).way_out == "`invoke up db`"
    missing = replace(DIAGNOSIS, kind="image-missing")
    assert apply_first(missing, edited) == missing
