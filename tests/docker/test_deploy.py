"""A real swarm of one node, in a network of its own: deployed, updated under load, rolled back."""

import shutil
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from own_engine import own_engine
from own_registry import own_registry
from ports import free_port
from second_machine import make_system_image

from layerstack import command
from layerstack.deploy import deploy as deploying
from layerstack.deploy.deploy import Deployment
from layerstack.deploy.deployed import verify_stack
from layerstack.deploy.swarm import is_deployed, require_not_deployed
from layerstack.errors import EngineError, StartFailed, UsageError
from layerstack.project import project
from layerstack.wait import wait_until

pytestmark = pytest.mark.docker
SOURCE = Path(__file__).parent / "projects" / "deployed"
SECONDS = 90.0


@dataclass
class Swarm:
    """A copy of the project, and the engine that is in use."""

    root: Path
    client: Any

    def load(self) -> project.Project:
        return project.load(self.root, "cpu")

    def deploy(self) -> Deployment:
        return deploying.deploy(self.load(), SECONDS, None, lambda _: None)

    def write(self, name: str, text: str) -> None:
        (self.root / "web" / name).write_text(text)

    def faults(self) -> dict[str, str]:
        """What verify finds of the services that are not fine."""
        assert is_deployed(self.client, self.load())
        found = verify_stack(self.client, self.load()).services
        return {one.service: f"{one.state}: {one.cause}" for one in found if one.state != "fine"}

    def answers(self) -> Counter[str]:
        """What the client was answered so far."""
        argv = ["docker", "service", "logs", "--raw", f"{self.load().name}_client"]
        return Counter(command.run(argv).require().stdout.split())


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    folder = tmp_path_factory.mktemp("swarm")
    root = folder / "deployed"
    shutil.copytree(SOURCE, root)
    with (
        pytest.MonkeyPatch.context() as patch,
        own_engine() as engine,
        own_registry(folder / "images", free_port(), engine.process_id) as registry,
    ):
        for name, value in {
            "DOCKER_HOST": engine.host,
            "XDG_STATE_HOME": str(folder / "state"),
            "COMPOSE_PROJECT_NAME": f"t{uuid.uuid4().hex[:8]}",
            "LAYERSTACK_REGISTRY": registry.address,
        }.items():
            patch.setenv(name, value)
        make_system_image()
        yield Swarm(root, engine.client)


def test_refused_before_anything_is_built(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError) as outside:
        swarm.deploy()
    assert "docker swarm init" in outside.value.advice
    monkeypatch.setenv("LAYERSTACK_REGISTRY", "")
    with pytest.raises(UsageError):
        swarm.deploy()
    monkeypatch.undo()
    assert "@sha256:" not in deploying.explain(swarm.load()).file.text
    assert not swarm.client.images.list(name="layerstack-test/deployed")


def test_replicas_an_update_without_a_lost_request_and_a_broken_one_rolled_back(swarm: Swarm) -> None:
    command.run(["docker", "swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1"]).require()

    first = swarm.deploy()
    assert {one.service: (one.running, one.state) for one in first.replicas} == {
        "web": (3, "fine"),
        "once": (1, "fine"),
        "client": (1, "fine"),
    }
    images = [one["image"] for one in first.file.document["services"].values()]
    assert all("@sha256:" in image for image in images)
    assert wait_until(lambda: swarm.answers()["one"] > 5, SECONDS)
    before = swarm.answers()["LOST"]

    swarm.write("version", "two\n")
    assert swarm.deploy().is_ok
    assert wait_until(lambda: swarm.answers()["two"] > 5, SECONDS)

    good = (swarm.root / "web/run.sh").read_text()
    swarm.write("run.sh", "echo no such module: snow >&2; exit 3\n")
    with pytest.raises(StartFailed, match="rolled back") as failed:
        swarm.deploy()
    assert "no such module: snow" in str(failed.value)
    asked = swarm.answers().total()
    assert wait_until(lambda: swarm.answers().total() > asked + 5, SECONDS)
    # The client begins before there is anything to ask; from the first answer on none is lost.
    assert swarm.answers()["LOST"] == before
    running = swarm.client.api.tasks(filters={"service": f"{swarm.load().name}_web", "desired-state": "running"})
    assert len(running) == 3

    assert not swarm.faults()
    one = running[0]["Status"]["ContainerStatus"]["ContainerID"]
    assert swarm.client.containers.get(one).exec_run(["sh", "-c", "rm /srv/run.sh"]).exit_code == 0
    faults = swarm.faults()
    assert faults.keys() == {"web"}
    assert faults["web"].startswith("degraded")

    swarm.write("run.sh", good)
    assert swarm.deploy().is_ok


def test_compose_does_not_start_what_runs_as_a_stack(swarm: Swarm) -> None:
    with pytest.raises(StartFailed) as refused:
        require_not_deployed(swarm.client, swarm.load())
    assert "docker stack rm" in refused.value.advice
