"""Settings that a program cannot read: the file and line of the project that a person has to correct."""

from pathlib import Path

import pytest
from verify_parts import make_container, make_evidence, make_project, make_result

from layerstack.engine.container import Mount
from layerstack.run.fault import Fault
from layerstack.run.health import Verdict
from layerstack.verify.checks import CheckResult
from layerstack.verify.diagnosis import name_fault

IN_JSON = "SyntaxError: Expected ',' or '}' after property value in JSON at position 13"


def named(root: Path, log: str, status: str = "exited") -> Fault:
    (root / "conf").mkdir(exist_ok=True)
    (root / "conf" / "web.conf").write_text("a\nb\nc\n")
    (root / "conf" / "web.json").write_text('{"port": 8080;\n"host": 1}')
    (root / "conf" / "good.json").write_text("{}")
    mounts = (Mount("bind", str(root / "conf"), "/etc/web", False),)
    project = make_project({"api": {}, "db": {}}, root)
    one = make_container("api", status=status, exit_code=1, restart_count=4, mounts=mounts)
    verdict = Verdict("failed", status, "exited with code 1")
    result = make_result(one, CheckResult("running", False, 0.0, verdict.reason, "running"), verdict=verdict)
    return name_fault(make_evidence(project, result, log=tuple(log.splitlines())))


@pytest.mark.parametrize(
    "log",
    [
        'nginx: [emerg] unknown directive "serve" in /etc/web/web.conf:3',
        'FATAL:  syntax error in file "/etc/web/web.conf" line 3, near token "x"',
        "[ALERT] (1) : config : parsing [/etc/web/web.conf:3] : unknown keyword",
        'yaml.scanner.ScannerError: mapping values are not allowed here\n  in "/etc/web/web.conf", line 3, column 9',
    ],
)
def test_a_file_of_settings_is_named_with_its_line(tmp_path: Path, log: str) -> None:
    found = named(tmp_path, log)
    assert (found.kind, found.change, found.repair) == ("settings-broken", "correct conf/web.conf:3", "invoke up api")


def test_a_host_of_nobody_in_settings(tmp_path: Path) -> None:
    found = named(tmp_path, 'nginx: [emerg] host not found in upstream "dbb" in /etc/web/web.conf:2')
    assert "did you mean db?" in found.cause
    assert found.change == "correct conf/web.conf:2"


def test_a_service_that_is_not_up_is_no_wrong_setting(tmp_path: Path) -> None:
    assert named(tmp_path, 'host not found in upstream "db" in /etc/web/web.conf:2').kind != "settings-broken"


@pytest.mark.parametrize("log", [IN_JSON, "json.decoder.JSONDecodeError: Expecting ',' delimiter: line 1 column 14"])
def test_the_file_that_is_no_json_is_found(tmp_path: Path, log: str) -> None:
    found = named(tmp_path, log)
    assert (found.kind, found.change) == ("settings-broken", "correct conf/web.json:1")


@pytest.mark.parametrize(
    "log",
    [
        "error at /somewhere/else.conf:3",
        "** (KeyError) /etc/web/good.exs:3: key not found",
        "/etc/web/web.conf:3:in `block in <main>': undefined method `x' for nil (NoMethodError)",
    ],
)
def test_another_file_and_code_are_no_settings(tmp_path: Path, log: str) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "good.exs").write_text("")
    assert named(tmp_path, log).kind != "settings-broken"


@pytest.mark.parametrize(
    ("log", "status", "kind"),
    [
        (
            "Traceback:\n  File \"/etc/web/web.conf\", line 2, in <module>\nKeyError: 'name'",
            "exited",
            "one-shot-failed",
        ),
        ("Error: license expired\n    at Object.<anonymous> (/etc/web/web.conf:2:7)", "restarting", "restart-loop"),
    ],
)
def test_an_error_without_a_name_leads_to_the_line_that_it_came_from(
    tmp_path: Path, log: str, status: str, kind: str
) -> None:
    found = named(tmp_path, log, status)
    assert (found.kind, found.repair) == (kind, "invoke up api")
    assert "conf/web.conf:2" in found.change
