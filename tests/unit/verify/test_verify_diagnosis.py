"""The first broken link of a chain of services, and what fails because of it."""

from verify_parts import failed, make_container, make_evidence, make_project, make_result

from layerstack.run.fault import Fault, FaultKind
from layerstack.verify.check_graph import CheckGraph, read_graph
from layerstack.verify.checks import CheckResult
from layerstack.verify.diagnosis import Diagnosis, blame, join_absent, make_diagnosis, mark_consequences, rank_roots

CHAIN = {"web": ("api",), "api": ("db", "pose"), "db": (), "pose": (), "alone": ()}


def graph(needs: dict[str, tuple[str, ...]] = CHAIN) -> CheckGraph:
    return read_graph(make_project({name: {"depends_on": dict.fromkeys(others)} for name, others in needs.items()}))


def faults(**kinds: FaultKind) -> dict[str, Fault]:
    return {name: Fault(kind, "broken", "invoke up") for name, kind in kinds.items()}


def roots(found: dict[str, Fault], needs: dict[str, tuple[str, ...]] = CHAIN) -> list[str]:
    ended = [name for name, fault in found.items() if fault.kind in ("crashed", "killed")]
    return rank_roots(graph(needs), found, blame(graph(needs), found, ended))


def test_what_needs_a_broken_service_fails_because_of_it() -> None:
    found = faults(web="wrong-answer", api="unhealthy", db="crashed")
    assert blame(graph(), found) == {"web": "db", "api": "db", "db": "db"}
    assert roots(found) == ["db"]


def test_a_fault_of_its_own_is_told_although_a_need_is_broken_too() -> None:
    found = faults(web="wrong-answer", api="unknown-host", pose="killed")
    assert blame(graph(), found) == {"pose": "pose", "api": "api", "web": "pose"}
    assert set(roots(found)) == {"api", "pose"}


def test_of_two_roots_the_one_with_more_dependents_comes_first() -> None:
    assert roots(faults(alone="crashed", db="crashed", api="unhealthy")) == ["db", "alone"]


def test_what_has_failed_comes_before_what_is_absent_and_what_is_on_its_way() -> None:
    found = faults(pose="not-ready-yet", db="not-started", alone="crashed")
    assert roots(found) == ["alone", "db", "pose"]


def test_what_is_on_its_way_does_not_explain_a_program_that_is_gone() -> None:
    found = faults(web="killed", pose="not-ready-yet")
    assert roots(found) == ["web", "pose"]
    assert roots(faults(web="wrong-answer", pose="not-ready-yet")) == ["pose"]
    assert roots(faults(web="killed", db="crashed")) == ["db"]


def test_a_failure_is_blamed_rather_than_a_start() -> None:
    found = faults(api="unhealthy", db="not-ready-yet", pose="crashed")
    assert blame(graph(), found)["api"] == "pose"


def test_consequences_are_marked_in_every_failed_link_and_the_first_broken_one_is_not() -> None:
    fine = CheckResult("image", True, 0, "")
    own = make_result(make_container("api"), fine, failed("running", link="running"), failed("page"))
    marked = mark_consequences(own, {"api": "api"})
    assert [check.because_of for check in marked.checks] == ["", "", "api"]
    assert marked.because_of == ""
    other = mark_consequences(own, {"api": "db"})
    assert [check.because_of for check in other.checks] == ["", "db", "db"]
    assert other.to_json()["because_of"] == "db"


def test_a_diagnosis_holds_evidence_without_passwords() -> None:
    project = make_project({"api": {}})
    one = make_container("api", health="unhealthy", health_output="no: http://a:secret1@db", environment={"A_KEY": ""})
    seen = make_evidence(project, make_result(one, failed(detail="GET → 500")), log=("DB_PASSWORD=hunter22", "end"))
    found = make_diagnosis(seen, Fault("crashed", "cannot reach http://a:secret1@db", "invoke up", "change it"))
    document = found.to_json()
    assert "secret1" not in str(document)
    assert "hunter22" not in str(document)
    assert document["kind"] == "crashed"
    assert document["facts"]["log"] == ["DB_PASSWORD=***", "end"]
    assert found.way_out == "change it, then `invoke up`"
    assert "answers: GET → 500" in found.evidence
    assert "health check: no" in found.evidence


def test_all_that_only_has_to_be_started_is_told_once() -> None:
    a, b = (Diagnosis("not-started", "has no container", "invoke up", service=name) for name in "ab")
    paused = Diagnosis("paused", "is paused", "docker unpause c", service="c")
    some = [make_result(make_container("c"), name="c"), make_result(None, name="a"), make_result(None, name="b")]
    joined = join_absent([paused, a, b], some)
    assert [(one.service, one.cause) for one in joined] == [
        ("c", "is paused"),
        ("a", "has no container; likewise b"),
    ]
    assert join_absent([a, b], some[1:])[0].cause == "nothing of this project is running"
    assert join_absent([paused], some) == (paused,)


def test_evidence_does_not_repeat_the_cause() -> None:
    seen = make_evidence(make_project({"api": {}}), make_result(make_container("api"), failed(detail="is paused")))
    assert make_diagnosis(seen, Fault("paused", "is paused", "docker unpause x")).evidence == ""
