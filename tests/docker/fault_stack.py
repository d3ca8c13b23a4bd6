"""The real stack as a copy of its own, with words for breaking it, asking `verify`, and doing what it says."""

import os
import shlex
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from layerstack import command
from layerstack.build import build
from layerstack.engine import engine
from layerstack.errors import StartFailed
from layerstack.project import project
from layerstack.project.project import Project, with_overlay
from layerstack.run import rehearsal, stack
from layerstack.run.startup import Silent
from layerstack.verify.diagnosis import Diagnosis
from layerstack.verify.verify import verify
from layerstack.verify.verify_text import in_one_line

ROOT = Path(__file__).parents[2]
# Images without the source mounts: what somebody edits at the same time must not matter.
BUILT = ("pose-service", "backend-api", "frontend")
QUICK = {"interval": "2s", "timeout": "4s", "retries": 2, "start_period": "30s", "start_interval": "1s"}
# mongosh and node need a second of a processor for each question: too much for every other second.
# mongod begins to listen once its first data is made, which takes a busy machine a minute.
CHEAP = {**QUICK, "start_period": "120s", "test": ["CMD", "bash", "-c", "exec 3<>/dev/tcp/mongodb/27017"]}
SELDOM = {**QUICK, "interval": "8s", "timeout": "20s", "start_period": "60s"}
CHECKS = {"mongodb": CHEAP, "mongo-express": SELDOM}
WAIT_SECONDS = 120.0


@dataclass
class FaultStack:
    """`own` is the stack as it should be; a fault is one more Compose file on top."""

    own: Project
    client: Any
    folder: Path

    def container(self, service: str) -> Any:
        return self.client.containers.get(f"{self.own.name}-{service}-1")

    def inside(self, service: str, *words: str, user: str = "root") -> str:
        code, output = self.container(service).exec_run(list(words), user=user)
        assert code == 0, output
        return str(output.decode())

    def configure(self, changes: Mapping[str, Any], **top: Any) -> Project:
        """The stack with other settings of some services, nothing started yet."""
        overlay = self.folder / "fault.yml"
        overlay.write_text(yaml.safe_dump({"services": dict(changes), **top}))
        assert self.own.overlay is not None
        below = replace(self.own, compose_files=(*self.own.compose_files, self.own.overlay))
        return with_overlay(below, self.own.name, overlay)

    def start(self, project: Project, *services: str) -> command.CommandResult:
        """What a person's `docker compose up` does with it, whatever comes of it; other services are left alone."""
        words = ("--progress", "quiet", "up", "--detach", "--no-deps", "--no-build", *services)
        return command.run(project.compose(*words), cwd=project.root, env=project.environment)

    def find(self, project: Project | None = None) -> Diagnosis:
        """The diagnosis once nothing is on its way any more; the faulty service must make verify fail."""
        report = verify(project or self.own, WAIT_SECONDS)
        assert not report.is_ok
        assert report.diagnosis is not None
        assert "password@" not in str(report.to_json())
        self.last = report
        return report.diagnosis

    def because(self) -> dict[str, str]:
        """Service → the one that it fails because of, of the last report."""
        return {one.service: one.because_of for one in self.last.services if one.because_of}

    def repair(self, found: Diagnosis) -> None:
        """Type the repair in the healthy stack's folder; all must be well then."""
        for line in found.repair.split(" && "):
            self.type(shlex.split(line))
        self.require_ok()

    def require_ok(self) -> None:
        """Nothing is broken now, or after a while of waiting."""
        report = verify(self.own, WAIT_SECONDS)
        assert report.is_ok, [in_one_line(one) for one in report.diagnoses]

    def type(self, words: list[str]) -> None:
        if words[:2] == ["invoke", "up"]:
            stack.up(self.own, Silent(), words[2:], timeout_seconds=120)
        elif words[:2] == ["invoke", "restart"]:
            stack.restart(self.own, Silent(), words[2:], timeout_seconds=120)
        elif words[0] == "kill":
            os.kill(int(words[1]), signal.SIGTERM)
        elif words[0] == "docker":
            command.run(words, cwd=self.own.root, env=self.own.environment).require()
        else:
            raise AssertionError(f"not a command of a repair: {words}")

    def up(self) -> None:
        """The stack as it should be, all of it; what Docker still calls unhealthy gets its time."""
        with suppress(StartFailed):
            stack.up(self.own, Silent(), timeout_seconds=180)
        self.require_ok()


@contextmanager
def fault_stack(purpose: str, folder: Path, *services: str) -> Iterator[FaultStack]:
    """A running copy of the stack (some services and what they need, all without a name); gone afterwards."""
    real = project.load(ROOT, "cpu")
    build.build(real, BUILT)
    client = engine.client()
    with rehearsal.rehearsal(real, purpose, _changes(real)) as copy:
        found = FaultStack(copy, client, folder)
        stack.up(copy, Silent(), services, timeout_seconds=180)
        if not services:
            found.require_ok()
        yield found
    # Volumes that only a fault declared are unknown to the copy's own files.
    for volume in client.volumes.list(filters={"label": f"com.docker.compose.project={copy.name}"}):
        volume.remove()


def _changes(real: Project) -> dict[str, dict[str, str]]:
    changes: dict[str, dict[str, str]] = {}
    for name, service in real.services.items():
        own = rehearsal.from_image(service, real.image(name).tag) if name in BUILT else {}
        check = CHECKS.get(name, QUICK)
        changes[name] = {**own, "healthcheck": yaml.safe_dump(check, default_flow_style=True, width=1000).strip()}
    return changes
