"""Small parts of a project for the tests of verify: services, containers, results, evidence."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from layerstack.engine.container import Container
from layerstack.project.project import Port, Project, Service
from layerstack.run.health import Verdict
from layerstack.verify.checks import CheckResult
from layerstack.verify.evidence import Evidence
from layerstack.verify.examination import ServiceResult

READY = Verdict("ready", "healthy")
WAITING = Verdict("waiting", "starting")
UNHEALTHY = Verdict("failed", "unhealthy", "fails its health check")


def make_project(definitions: dict[str, dict[str, Any]], root: Path = Path()) -> Project:
    services = {name: Service(name, f"{name}:1", (), definition) for name, definition in definitions.items()}
    files = (root / "compose.yml",) if (root / "compose.yml").is_file() else ()
    return Project(root, "shop", "cpu", files, (), {}, services)


def make_container(service: str, **changes: Any) -> Container:
    found = Container(service, f"shop-{service}-1", service, "running", "2026", networks={"shop_default": (service,)})
    return replace(found, **changes)


def make_result(
    container: Container | None, *failed: CheckResult, verdict: Verdict = READY, name: str = "api"
) -> ServiceResult:
    return ServiceResult(name, container.state if container else "absent", failed, verdict, container)


def failed(check: str = "answers", detail: str = "GET / → 500", **changes: Any) -> CheckResult:
    return replace(CheckResult(check, False, 1.0, detail), **changes)


def make_evidence(
    project: Project, result: ServiceResult, hosts: dict[str, str] | None = None, **changes: Any
) -> Evidence:
    known = hosts if hosts is not None else {name: name for name in project.services}
    return replace(Evidence(project, project.services[result.service], result, hosts=known), **changes)


def make_port(published: int = 8080, target: int = 80, ip: str = "127.0.0.1") -> Port:
    return Port(ip, published, target)
