"""The first broken link of a chain of services."""

from pathlib import Path
from typing import Any

from layerstack.checks import CheckResult
from layerstack.container import Container
from layerstack.diagnosis import diagnose
from layerstack.examination import ServiceResult
from layerstack.health import Verdict
from layerstack.project import Project, Service

READY = Verdict("ready", "healthy")
DEAD = Verdict("failed", "exited", "exited with code 3", "invoke logs it")


class Engine:
    """An engine that has one line of log, and a newer image when asked to."""

    def __init__(self, newest_image: str = "old") -> None:
        self.api, self._newest_image = self, newest_image

    def logs(self, container: str, tail: int) -> bytes:
        return b"the journal is broken\n"

    def inspect_image(self, reference: str) -> dict[str, str]:
        return {"Id": self._newest_image}


def project(**needs: tuple[str, ...]) -> Project:
    services = {
        name: Service(name, "", (), {"depends_on": {other: {} for other in others}}, {})
        for name, others in needs.items()
    }
    return Project(Path(), "demo", "cpu", (), (), {}, services)


def result(name: str, is_ok: bool, verdict: Verdict = READY, is_absent: bool = False) -> ServiceResult:
    container = None if is_absent else Container(name, f"{name}-1", name, "running", "", image_id="old")
    checks = (CheckResult("container", verdict.phase == "ready", 0, ""), CheckResult("answer", is_ok, 1, "GET / → 500"))
    return ServiceResult(name, "absent" if is_absent else "running", checks, verdict, container)


CHAIN = {"web": ("api",), "api": ("db", "pose"), "db": (), "pose": ()}


def ask(*results: ServiceResult, engine: Any = None) -> Any:
    return diagnose(engine or Engine(), project(**CHAIN), results)


def test_nothing_broken_gives_no_diagnosis() -> None:
    assert ask(*(result(name, True) for name in CHAIN)) is None


def test_the_deepest_broken_service_is_blamed() -> None:
    found = ask(result("web", False), result("api", False), result("db", False, DEAD), result("pose", True))
    assert (found.service, found.cause, found.repair) == ("db", "exited with code 3", "invoke logs it")
    assert "journal" in found.evidence


def test_of_two_roots_the_one_with_more_dependents_is_blamed() -> None:
    needs = {"a": (), "b": (), "c": ("b",), "d": ("c",)}
    found = diagnose(Engine(), project(**needs), [result(name, False, DEAD) for name in needs])
    assert found is not None
    assert found.service == "b"


def test_a_wrong_answer_of_a_healthy_service_names_the_check() -> None:
    found = ask(result("web", False), result("api", True), result("db", True), result("pose", True))
    assert found.service == "web"
    assert "`answer` fails: GET / → 500" in found.cause
    assert found.repair == "invoke logs web"


def test_an_outdated_container_is_replaced() -> None:
    found = ask(result("web", False), result("api", True), engine=Engine("new"))
    assert found.repair == "invoke up"


def test_nothing_started_is_repaired_by_up() -> None:
    absent = Verdict("failed", "absent", "has no container", "invoke up db")
    found = ask(*(result(name, False, absent, is_absent=True) for name in CHAIN))
    assert found.repair == "invoke up"
