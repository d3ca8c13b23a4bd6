"""A team: a registry, and an engine besides the machine's own that reaches it as another machine would."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from own_engine import OwnEngine, own_engine
from own_registry import OwnRegistry, inside, own_registry, unpacked
from ports import free_port

import docker
from layerstack import command
from layerstack.engine import images

RELAY = Path(__file__).parent / "cut_relay.py"
SYSTEM_IMAGE = "layerstack-test/shell:1"


@dataclass
class Team:
    """The registry has the same address here and in the network of the second engine."""

    folder: Path
    engine: OwnEngine
    registry: OwnRegistry

    @property
    def network(self) -> int:
        """A process in the network of the second engine."""
        return self.engine.process_id

    def use_second(self, patch: pytest.MonkeyPatch, state: Path) -> None:
        """From here on this is another machine."""
        patch.setenv("DOCKER_HOST", self.engine.host)
        patch.setenv("XDG_STATE_HOME", str(state))

    def wipe(self) -> None:
        """Nothing of any build is left on the second engine; the system image stays: made again it is another one."""
        environment = {"DOCKER_HOST": self.engine.host}
        for image in self.engine.client.images.list():
            if SYSTEM_IMAGE not in image.tags:
                with contextlib.suppress(docker.errors.APIError):
                    self.engine.client.images.remove(image.id, force=True)
        command.run(["docker", "builder", "prune", "--all", "--force"], env=environment).require()

    @contextlib.contextmanager
    def relay(self, limit: int) -> Iterator[str]:
        """The address of a registry that breaks off after so many bytes; that says nothing, for 0."""
        port = free_port()
        argv = [*inside(self.network), sys.executable, str(RELAY), str(port), str(self.registry.port), str(limit)]
        process = subprocess.Popen(argv)
        time.sleep(0.3)
        try:
            yield f"127.0.0.1:{port}/team"
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def team(folder: Path) -> Iterator[Team]:
    """Two registries on one folder: one in the network of each engine."""
    port = free_port()
    with (
        own_engine() as engine,
        own_registry(folder / "images", port, engine.process_id) as far,
        own_registry(folder / "images", port),
    ):
        yield Team(folder, engine, far)


def make_system_image() -> None:
    """A shell and its programs, on the engine that is in use; what is there stays."""
    if images.find(SYSTEM_IMAGE):
        return
    shell = unpacked("busybox-static", "bin/busybox")
    install = 'RUN --network=none ["/bin/busybox", "--install", "/bin"]'
    lines = ["FROM scratch", "COPY busybox /bin/busybox", install]
    if subprocess.run([shell, "true"], check=False).returncode:
        pytest.fail("busybox does not run here")
    command.run(
        ["docker", "build", "--quiet", "--tag", SYSTEM_IMAGE, "--file", "-", str(Path(shell).parent)],
        stdin="\n".join(lines) + "\n",
    ).require()
