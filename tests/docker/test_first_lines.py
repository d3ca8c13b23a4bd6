"""Breaks that a stranger meets: the first line names each, and what it says to type ends it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from docker.errors import ImageNotFound
from typed import repair

from layerstack.build import build as builder
from layerstack.build.build import BuildOptions
from layerstack.build.progress import BuildObserver
from layerstack.doctor import context_lint, health_checks, project_checks
from layerstack.errors import StartFailed
from layerstack.project import compose_source, project
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.rehearsal import remove_all
from layerstack.run.startup import Silent
from layerstack.status import status
from layerstack.verify.diagnosis import Diagnosis
from layerstack.verify.verify import verify

pytestmark = pytest.mark.docker
SLEEP = 'command: ["sleep", "300"], stop_signal: SIGKILL'


@dataclass
class Place:
    """A folder with one small project; its image has what the system image of Node has."""

    root: Path
    image: str
    tag: str

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def compose(self, services: str) -> None:
        self.write("compose.yaml", f"services:\n  {services}\n")

    def load(self) -> Project:
        return project.load(self.root, "cpu")

    def build(self) -> None:
        loaded = self.load()
        builder.build(loaded, list(loaded.images), BuildObserver(), BuildOptions())

    def up(self) -> None:
        stack.up(self.load(), Silent(), timeout_seconds=60)

    def refused(self) -> StartFailed:
        with pytest.raises(StartFailed) as failed:
            self.up()
        return failed.value

    def diagnosis(self) -> Diagnosis:
        found = verify(self.load()).diagnosis
        assert found
        return found

    def repair(self, command: str) -> None:
        """Type a command as it stands there; everything must be well then."""
        repair(self.root, command)
        assert verify(self.load(), 20.0).is_ok


@pytest.fixture
def place(tmp_path: Path, node_image: str, engine_client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    name = f"layerstack-test-first-{os.getpid()}"
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", name)
    engine_client.images.get(node_image).tag(f"{name}-node")
    found = Place(tmp_path, f"{name}-node:latest", f"{name}:latest")
    yield found
    remove_all(name)
    for tag in (found.image, found.tag):
        with suppress(ImageNotFound):
            engine_client.api.remove_image(tag, noprune=True)


def test_windows_line_ends_are_named_and_ended(place: Place) -> None:
    place.compose(f"api: {{image: {place.tag}, build: ., stop_signal: SIGKILL}}")
    place.write("Dockerfile", f'FROM {place.image}\nCOPY entry.sh /\nENTRYPOINT ["/entry.sh"]\n')
    place.write("entry.sh", "#!/bin/sh\r\nexec sleep 300\r\n")
    (place.root / "entry.sh").chmod(0o755)
    place.build()
    (foreseen,) = context_lint.check_scripts(place.load())
    assert (foreseen.severity, foreseen.place) == ("error", "entry.sh")
    refused, found = place.refused(), place.diagnosis()
    assert (found.service, found.kind) == ("api", "windows-line-ends")
    assert found.repair in refused.advice
    # The shell reads `300\r` as no number: only the repaired script runs.
    place.repair(found.repair)


def test_a_health_check_without_its_program_is_named(place: Place, engine_client: Any) -> None:
    test = 'healthcheck: {test: ["CMD", "absent-checker", "x"], interval: 1s, retries: 1}'
    place.compose(f"api: {{image: {place.image}, {SLEEP}, {test}}}")
    loaded = place.load()
    source = compose_source.read_source(loaded.root, loaded.compose_files)
    refused, found = place.refused(), place.diagnosis()
    assert (found.service, found.kind) == ("api", "health-program-missing")
    assert found.repair in refused.advice
    assert "node" in found.change
    (foreseen,) = health_checks.check_programs(engine_client, loaded, source)
    assert (foreseen.severity, foreseen.service) == ("warning", "api")
    place.write("compose.yaml", (place.root / "compose.yaml").read_text().replace('"absent-checker"', '"node", "-v"'))
    place.repair(found.repair)


def test_an_orphan_that_holds_the_port_is_named_and_removed(place: Place, free_port: int, engine_client: Any) -> None:
    service = f'{{image: {place.image}, {SLEEP}, ports: ["127.0.0.1:{free_port}:8000"]}}'
    place.compose(f"old-name: {service}")
    place.up()
    place.compose(f"new-name: {service}")
    loaded = place.load()
    orphan = f"{loaded.name}-old-name-1"
    assert [one.is_orphan for one in status.read_status(loaded)] == [False, True]
    assert [one.severity for one in project_checks.check_ports(loaded, engine_client)] == ["error"]
    assert [one.remedy for one in project_checks.check_orphans(engine_client, loaded)] == [f"docker rm -f {orphan}"]
    assert orphan in place.refused().advice
    found = place.diagnosis()
    assert (found.service, found.kind) == ("new-name", "port-held")
    subprocess.run(["docker", "rm", "-f", orphan], check=True, capture_output=True)
    place.up()
    assert [one.is_orphan for one in status.read_status(loaded)] == [False]


def test_a_taken_name_is_named_and_freed(place: Place, engine_client: Any) -> None:
    taken = f"layerstack-test-taken-{os.getpid()}"
    other = engine_client.containers.create(place.image, ["sleep", "300"], name=taken)
    try:
        place.compose(f"web: {{image: {place.image}, {SLEEP}, container_name: {taken}}}")
        assert f"docker rename {taken} {taken}-before" in place.refused().advice
        found = place.diagnosis()
        assert (found.service, found.kind) == ("web", "name-taken")
        place.repair(found.repair)
    finally:
        subprocess.run(["docker", "rm", "-f", other.id], check=False, capture_output=True)


def test_an_anonymous_volume_without_a_record_is_compared_by_its_files(place: Place) -> None:
    volumes = 'volumes: ["./ctx:/app", "/app/node_modules"]'
    place.compose(f"web: {{image: {place.tag}, build: ./ctx, {SLEEP}, {volumes}}}")
    install = "RUN mkdir -p node_modules && cp package.json node_modules/v\n"
    place.write("ctx/Dockerfile", f"FROM {place.image}\nWORKDIR /app\nCOPY package.json .\n{install}")
    for version in ("v1", "v2"):
        place.write("ctx/package.json", version)
        place.build()
        place.up()
    (found,) = status.read_status(place.load())
    assert [(one.kind, one.is_certain) for one in found.freshness.stale] == [("old-volume", True)]
    place.repair(found.freshness.stale[0].repair)
    (renewed,) = status.read_status(place.load())
    assert renewed.freshness.stale == ()
