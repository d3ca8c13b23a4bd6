"""What this machine lacks, found in seconds and without building or starting anything."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from layerstack import engine, engine_checks, machine_checks, project, project_checks
from layerstack.engine import EngineFacts
from layerstack.errors import EngineError, StackError
from layerstack.finding import Finding, error, ok, warning
from layerstack.project import Project
from layerstack.wait import call_within

CHECK_SECONDS = 3.0
# Every registry that speaks for Docker by default has it, and asking costs nothing.
DEFAULT_REFERENCE = "hello-world:latest"

Check = Callable[[], Iterable[Finding]]


def examine(root: Path) -> list[Finding]:
    """Look at machine, engine and project, all at once. Never raises, and ends also when something hangs."""
    with ThreadPoolExecutor(20) as pool:
        facts = pool.submit(call_within, CHECK_SECONDS, engine.read_facts)
        client = pool.submit(call_within, CHECK_SECONDS, engine.client)
        loaded = pool.submit(call_within, CHECK_SECONDS, lambda: project.load(root, "cpu"))
        checks = {
            "engine": lambda: _check_engine(facts, client),
            **_engine_checks(facts, client, loaded),
            **_machine_checks(root),
            "project": lambda: _check_project(loaded, client),
        }
        return [finding for found in pool.map(_run, checks, checks.values()) for finding in found]


def has_errors(findings: Iterable[Finding]) -> bool:
    """Does anything stand in the way of a build or a start?"""
    return any(finding.severity == "error" for finding in findings)


def _engine_checks(facts: "Future[EngineFacts]", client: "Future[Any]", loaded: "Future[Project]") -> dict[str, Check]:
    return {
        "versions": lambda: engine_checks.check_versions(facts.result()),
        "disk": lambda: engine_checks.check_disk(facts.result()),
        "clock": lambda: engine_checks.check_clock(client.result()),
        "stand-ins": lambda: engine_checks.check_stand_ins(client.result()),
        "registry": lambda: engine_checks.check_registry(client.result(), _reference(loaded)),
    }


def _machine_checks(root: Path) -> dict[str, Check]:
    return {
        "docker group": machine_checks.check_rights,
        "environment": machine_checks.check_environment,
        "python": machine_checks.check_python,
        "memory": machine_checks.check_memory,
        "inotify": machine_checks.check_watches,
        "wsl": lambda: machine_checks.check_wsl(root),
        "gpu": machine_checks.check_gpu,
    }


def _run(name: str, check: Check) -> list[Finding]:
    try:
        return call_within(CHECK_SECONDS, lambda: list(check()))
    except EngineError:
        # The finding named `engine` says it once for all.
        return []
    except TimeoutError as late:
        return [warning(name, f"could not be looked at: {late}", "")]
    except Exception as problem:
        return [warning(name, f"could not be looked at: {type(problem).__name__}: {problem}", "")]


def _check_engine(facts: "Future[EngineFacts]", client: "Future[Any]") -> Iterator[Finding]:
    try:
        found = facts.result()
        client.result()
    except (EngineError, TimeoutError) as problem:
        yield error("engine", str(problem.args[0]), getattr(problem, "advice", "") or "Restart the engine.")
    else:
        yield ok("engine", f"{found.server_version} on {found.operating_system}, {found.storage_driver}")


def _check_project(loaded: "Future[Project]", client: "Future[Any]") -> Iterator[Finding]:
    try:
        found = loaded.result()
    except EngineError:
        return
    except StackError as problem:
        yield error("project", str(problem.args[0]), problem.advice)
        return
    yield ok("project", f"{found.name}: {len(found.services)} services")
    yield from project_checks.check_env_file(found)
    yield from project_checks.check_ports(found, None if client.exception() else client.result())


def _reference(loaded: "Future[Project]") -> str:
    """An image of this project that comes from a registry."""
    services = () if loaded.exception() else loaded.result().services.values()
    pulled = [one.image for one in services if one.image and not one.is_built]
    return next((image for image in pulled if not image.startswith("stand-in/")), DEFAULT_REFERENCE)
