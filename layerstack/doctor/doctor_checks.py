"""The checks of doctor by name, and what they need to know of the machine, the engine and the project."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from layerstack.cache import cache_report
from layerstack.doctor import (
    certificates,
    compose_lint,
    context_lint,
    disk_need,
    dockerfile_lint,
    end_of_life,
    engine_checks,
    env_checks,
    health_checks,
    machine_checks,
    mount_shadow,
    network_checks,
    outside_checks,
    project_checks,
    silence,
    stop_checks,
)
from layerstack.doctor.disk_need import DiskNeed
from layerstack.doctor.known_issues import Circumstances, read_circumstances
from layerstack.doctor.silence import Silence
from layerstack.engine import engine
from layerstack.engine.client import EngineClient
from layerstack.engine.endpoint import find_endpoint
from layerstack.engine.engine import EngineFacts
from layerstack.errors import EngineError, StackError
from layerstack.finding import Finding, error, ok
from layerstack.gpu import gpu_survey
from layerstack.gpu.decision import Decision
from layerstack.project import compose_source, missing_image, project
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Device, Project
from layerstack.project.system_references import system_references
from layerstack.wait import call_within

Check = Callable[[], Iterable[Finding]]
Answer = TypeVar("Answer")


class DoctorChecks:
    """What several checks need is read once, in the background, with a timeout for each."""

    def __init__(self, root: Path, pool: ThreadPoolExecutor, answer_seconds: float) -> None:
        def ask(function: Callable[[], Answer]) -> "Future[Answer]":
            return pool.submit(call_within, answer_seconds, function)

        self._root = root
        self.facts = ask(engine.read_facts)
        self.client = ask(engine.client)
        self.source = ask(lambda: _read_source(root, "gpu"))
        # `declared` is the project with the GPU, `loaded` as this machine would run it.
        self.declared = ask(lambda: project.load(root, "gpu"))
        # The decision that a start would make, with containers that lost their GPU.
        self.decision: Future[Decision] = ask(lambda: gpu_survey.survey(root, "auto").decision)
        self.loaded = ask(self._load)
        self.circumstances = ask(self._read_circumstances)
        self.need = ask(lambda: disk_need.read_need(self.loaded.result()))

    def named(self) -> Mapping[str, Check]:
        """Every check by the name under which its failure is reported."""
        return {**self._engine_checks(), **self._machine_checks(), **self._project_checks()}

    def wanted_silence(self, given: Silence) -> Silence:
        """What the Compose files and the command line suppress."""
        source = _value(self.source)
        return silence.from_source(source, given) if source else given

    def _engine_checks(self) -> dict[str, Check]:
        return {
            "engine": lambda: _check_engine(self.facts, self.client),
            "versions": lambda: engine_checks.check_versions(self.facts.result(), self.circumstances.result()),
            "disk": lambda: engine_checks.check_disk(self.facts.result(), _value(self.need) or DiskNeed()),
            "builder": lambda: engine_checks.check_builder(self.facts.result(), self._environment),
            "gc": self._check_gc,
            "clock": lambda: engine_checks.check_clock(self.client.result()),
            "stand-ins": lambda: self._of_project(
                lambda one: engine_checks.check_stand_ins(self.client.result(), system_references(one))
            ),
            "registry": self._check_registry,
        }

    def _machine_checks(self) -> dict[str, Check]:
        return {
            "docker group": machine_checks.check_rights,
            "environment": machine_checks.check_environment,
            "pynvml": machine_checks.check_pynvml,
            "memory": machine_checks.check_memory,
            "inotify": machine_checks.check_watches,
            "wsl": lambda: machine_checks.check_wsl(self._root, _mounted(self.loaded)),
            "gpu": self._check_gpu,
            "proxy": self._check_proxy,
            "certificates": self._check_certificates,
        }

    def _project_checks(self) -> dict[str, Check]:
        return {
            "project": self._check_project,
            # A variable may be used by the files of either device.
            ".env": lambda: env_checks.check_env_file(self._root, _read_source(self._root, "cpu")),
            "ignore": lambda: silence.check_names(self.source.result()),
            "port": lambda: self._of_project(self._check_ports),
            "container-name": lambda: self._of_engine(project_checks.check_names),
            "orphan": lambda: self._of_project(lambda one: project_checks.check_orphans(self.client.result(), one)),
            "secret-file": lambda: self._of_project(lambda one: outside_checks.check_files(one, self.source.result())),
            "device": lambda: self._of_project(lambda one: outside_checks.check_devices(one, self.source.result())),
            "external": lambda: self._of_engine(outside_checks.check_external),
            "shared-tag": lambda: self._of_declared(project_checks.check_shared_tags),
            "gpu-shm": lambda: self._of_declared(compose_lint.check_shared_memory),
            "port-open": lambda: self._of_declared(compose_lint.check_open_ports),
            "slow-stop": lambda: self._of_engine(stop_checks.check_stops),
            "build-order": lambda: self._of_declared(compose_lint.check_build_order),
            # Useful without an engine, too: then the names of images decide.
            "health-localhost": lambda: self._of_project(
                lambda one: health_checks.check_localhost(_value(self.client), one, self.source.result())
            ),
            "health-missing": lambda: self._of_engine(health_checks.check_waits),
            "health-program": lambda: self._of_engine(health_checks.check_programs),
            "windows-line-ends": lambda: self._of_project(context_lint.check_scripts),
            "run-after-source": lambda: self._of_declared(dockerfile_lint.check_dockerfiles),
            "context-takes-all": lambda: self._of_declared(context_lint.check_contexts),
            "end-of-life": lambda: self._of_project(
                lambda one: end_of_life.check_end_of_life(one, self.source.result())
            ),
            "mount-shadow": lambda: self._of_engine(self._check_mounts),
        }

    def _load(self) -> Project:
        decision = _value(self.decision)
        device: Device = decision.device if decision else "cpu"
        return self.declared.result() if device == "gpu" else project.load(self._root, device)

    def _read_circumstances(self) -> Circumstances:
        return read_circumstances(self._root, self.source.result(), _value(self.declared))

    @property
    def _environment(self) -> Mapping[str, str] | None:
        """The variables of the project's calls, which may choose a builder."""
        loaded = _value(self.loaded)
        return loaded.environment if loaded else None

    def _of_project(self, check: Callable[[Project], Iterable[Finding]]) -> Iterable[Finding]:
        loaded = _value(self.loaded)
        return check(loaded) if loaded else ()

    def _of_engine(
        self, check: Callable[[EngineClient, Project, ComposeSource], Iterable[Finding]]
    ) -> Iterable[Finding]:
        return self._of_project(lambda loaded: check(self.client.result(), loaded, self.source.result()))

    def _of_declared(self, check: Callable[[Project, ComposeSource], Iterable[Finding]]) -> Iterable[Finding]:
        declared = _value(self.declared)
        return check(declared, self.source.result()) if declared else ()

    def _check_project(self) -> Iterable[Finding]:
        # The files of one device may be readable, and those of the other not.
        for future in (self.loaded, self.declared):
            try:
                found = future.result()
            # The finding named `engine` reports it.
            except EngineError:
                return ()
            except StackError as problem:
                return project_checks.check_readable(self._root, problem)
        return project_checks.check_project(found)

    def _check_ports(self, loaded: Project) -> Iterator[Finding]:
        yield from project_checks.check_ports(loaded, _value(self.client))
        yield from project_checks.check_shared_ports(loaded, self.source.result())

    def _check_gpu(self) -> Iterable[Finding]:
        # Without an engine it is unknown what a service would get.
        loaded = _value(self.loaded) if _value(self.client) else None
        return machine_checks.check_gpu(self.decision.result(), loaded)

    def _check_gc(self) -> Iterable[Finding]:
        loaded = _value(self.loaded)
        if loaded is None:
            return ()
        return engine_checks.check_gc(cache_report.read_report(loaded), _value(self.need) or DiskNeed())

    def _check_registry(self) -> Iterable[Finding]:
        loaded = _value(self.loaded)
        references = system_references(loaded) if loaded else ()
        return engine_checks.check_registry(self.client.result(), references, missing_image.way_to_get(self._root))

    def _check_proxy(self) -> Iterator[Finding]:
        yield from network_checks.check_shell_proxy()
        if client := _value(self.client):
            yield from network_checks.check_engine_proxy(client.info())

    def _check_certificates(self) -> Iterator[Finding]:
        yield from network_checks.check_bundles()
        client, loaded = _value(self.client), _value(self.loaded)
        if client and loaded:
            yield from certificates.check_images(client, loaded)

    def _check_mounts(self, client: EngineClient, loaded: Project, source: ComposeSource) -> Iterable[Finding]:
        # An engine that is reached over TCP or SSH may have other folders than this machine.
        return mount_shadow.check_mounts(client, loaded, source, is_local=bool(find_endpoint().socket_path))


def _value(future: "Future[Answer]") -> Answer | None:
    """The answer, None when it failed: checks that can do without it still run."""
    return None if future.exception() else future.result()


def _read_source(root: Path, device: Device) -> ComposeSource:
    """An empty one where a file cannot be read: the finding named `project` reports it."""
    try:
        return compose_source.read_source(root, project.find_reached_files(root, device).sources)
    except StackError:
        return ComposeSource(())


def _check_engine(facts: "Future[EngineFacts]", client: Future[EngineClient]) -> Iterator[Finding]:
    try:
        found = facts.result()
        client.result()
    except (EngineError, TimeoutError) as problem:
        yield error("engine", str(problem.args[0]), getattr(problem, "advice", "") or "Restart the engine.")
    else:
        yield ok("engine", f"{found.server_version} on {found.operating_system}, {found.storage_driver}")


def _mounted(loaded: "Future[Project]") -> Iterator[str]:
    """Folders of this machine that services mount."""
    found = _value(loaded)
    for service in found.services.values() if found else ():
        for mount in service.definition.get("volumes") or ():
            if mount.get("type") == "bind":
                yield str(mount.get("source", ""))
