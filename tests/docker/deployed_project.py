"""The project `deployed` on a swarm: three replicas, and a client that asks them without a pause."""

import shutil
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from layerstack import command
from layerstack.deploy import deploy as deploying
from layerstack.deploy.deploy import Deployment
from layerstack.deploy.deployed import DeployedService, verify_stack
from layerstack.deploy.swarm import is_deployed
from layerstack.errors import StartFailed
from layerstack.project import project
from layerstack.wait import wait_until

SOURCE = Path(__file__).parent / "projects" / "deployed"
SECONDS = 90.0


@dataclass
class Deployed:
    """A copy of the project, and the engine that is in use."""

    root: Path
    client: Any

    def load(self) -> project.Project:
        return project.load(self.root, "cpu")

    def deploy(self) -> Deployment:
        return deploying.deploy(self.load(), SECONDS, None, lambda _: None)

    def write(self, name: str, text: str) -> None:
        (self.root / "web" / name).write_text(text)

    def read(self, name: str) -> str:
        return (self.root / "web" / name).read_text()

    def update(self, version: str) -> None:
        """Deploy another version, until it has answered."""
        self.write("version", f"{version}\n")
        assert self.deploy().is_ok
        assert wait_until(lambda: self.answers()[version] > 5, SECONDS)

    def fail_to_update(self) -> str:
        """Deploy a program that ends at once, whichever node runs it; the good program, which goes on answering."""
        good = self.read("run.sh")
        self.write("run.sh", "echo no such module: snow >&2; exit 3\n")
        with pytest.raises(StartFailed, match="rolled back") as failed:
            self.deploy()
        assert "no such module: snow" in str(failed.value)
        asked = self.answers().total()
        assert wait_until(lambda: self.answers().total() > asked + 5, SECONDS)
        return good

    def verify(self) -> dict[str, DeployedService]:
        assert is_deployed(self.client, self.load())
        return {one.service: one for one in verify_stack(self.client, self.load()).services}

    def faults(self) -> dict[str, str]:
        """What verify finds of the services that are at fault."""
        return {name: f"{one.state}: {one.cause}" for name, one in self.verify().items() if one.is_fault}

    def answers(self) -> Counter[str]:
        """What the client was answered so far."""
        argv = ["docker", "service", "logs", "--raw", f"{self.load().name}_client"]
        # A swarm whose managers elect a leader breaks off what it streams.
        asked = wait_until(lambda: found if (found := command.run(argv)).ok else None, SECONDS)
        assert asked, argv
        return Counter(asked.stdout.split())

    def tasks(self, service: str) -> list[dict[str, Any]]:
        """Those that Swarm wants to run."""
        filters = {"service": f"{self.load().name}_{service}", "desired-state": "running"}
        found: list[dict[str, Any]] = self.client.api.tasks(filters=filters)
        return found


def deployed_in(folder: Path, patch: pytest.MonkeyPatch, host: str, client: Any, registry: str) -> Deployed:
    """A copy in `folder` for the engine `host`, under a name of its own; nothing is deployed yet."""
    shutil.copytree(SOURCE, folder / "deployed")
    for name, value in {
        "DOCKER_HOST": host,
        "XDG_STATE_HOME": str(folder / "state"),
        "COMPOSE_PROJECT_NAME": f"t{uuid.uuid4().hex[:8]}",
        "LAYERSTACK_REGISTRY": registry,
    }.items():
        patch.setenv(name, value)
    return Deployed(folder / "deployed", client)
