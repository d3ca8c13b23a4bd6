"""Engine, builder and registry on machines of their own, with TLS: one with overlay2, one with containerd's store."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cabled import NETWORK, Machines, Node, machines
from own_registry import inside
from ports import free_port
from second_machine import SYSTEM_IMAGE, make_system_image
from tls_files import make_certificates

from layerstack import command

pytestmark = [pytest.mark.docker, pytest.mark.machines]
ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "projects" / "shared"
RELAY = Path(__file__).parent / "dial_relay.py"
TLS_PORT = 2376
CONTAINERD = ("--feature", "containerd-snapshotter=true")
BUILDER = "layerstack-test-elsewhere"
SECONDS = 120.0


@dataclass
class Bench:
    """A copy of the project, and the variables of every task on it."""

    root: Path
    machines: Machines
    certificates: Path
    variables: dict[str, str]
    words: list[str] = field(default_factory=list)

    @property
    def first(self) -> Node:
        return self.machines.nodes[0]

    @property
    def second(self) -> Node:
        return self.machines.nodes[1]

    def run(self, *words: str, **variables: str) -> tuple[int, dict[str, Any], str]:
        """(exit code, document, stderr) of a task."""
        argv = [*self.words, sys.executable, "-m", "layerstack", *words, "--json"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **self.variables, **variables}
        done = subprocess.run(
            argv, cwd=self.root, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr

    def build(self, **variables: str) -> dict[str, str]:
        """Image → what became of it."""
        code, document, said = self.run("build", **variables)
        assert code == 0, said
        return {one["image"]: one["action"] for one in document["images"]}

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def over_tls(self, node: Node, certificates: Path) -> "Bench":
        """The same from a machine of the network that reaches the engine by its address only."""
        address = {"DOCKER_HOST": f"tcp://{node.address}:{TLS_PORT}", "DOCKER_TLS_VERIFY": "1"}
        state = {"XDG_STATE_HOME": str(self.root.parent / f"state-{node.number}")}
        variables = {**self.variables, **address, **state, "DOCKER_CERT_PATH": str(certificates)}
        return Bench(self.root, self.machines, certificates, variables, inside(self.machines.switch))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("elsewhere")
    made = make_certificates(folder / "certificates", *(f"{NETWORK}.{number}" for number in (1, 11, 12)))
    pair = {"tlscacert": "ca.pem", "tlscert": "server-cert.pem", "tlskey": "server-key.pem"}
    listen = ["--tlsverify", "--host", f"tcp://0.0.0.0:{TLS_PORT}"]
    tls = [*listen, *(word for name, file in pair.items() for word in (f"--{name}", str(made / file)))]
    http = f", tls: {{certificate: {made}/server-cert.pem, key: {made}/server-key.pem}}"
    shutil.copytree(SOURCE, folder / "shared")
    (folder / "shared/low/salt").write_text(uuid.uuid4().hex)
    # As real bases do, they take longer than a look into the registry.
    for name in ("low", "high"):
        with (folder / "shared" / name / "Dockerfile").open("a") as file:
            file.write("RUN --network=none sleep 3\n")
    with pytest.MonkeyPatch.context() as patch:
        # As on a machine that trusts the team's CA.
        patch.setenv("SSL_CERT_FILE", str(made / "ca.pem"))
        patch.delenv("DOCKER_CONFIG", raising=False)
        with machines(folder, tls, [*tls, *CONTAINERD], http=http) as found:
            variables = {
                "DOCKER_HOST": found.nodes[0].engine.host,
                "XDG_STATE_HOME": str(folder / "state"),
                "TEST_TAG": "elsewhere",
                "COMPOSE_PROJECT_NAME": "layerstack-test-elsewhere",
                "SYSTEM_IMAGE": SYSTEM_IMAGE,
                "LAYERSTACK_REGISTRY": found.registry.address,
                "BUILDX_CONFIG": str(folder / "buildx"),
            }
            patch.setenv("DOCKER_HOST", found.nodes[0].engine.host)
            make_system_image()
            yield Bench(folder / "shared", found, made, variables)


def test_an_engine_over_tls_and_what_is_wrong_with_its_certificates(bench: Bench, tmp_path: Path) -> None:
    first = bench.over_tls(bench.first, bench.certificates)
    assert first.build() == dict.fromkeys(("low", "high", "app"), "built")
    code, shared, said = first.run("share")
    assert code == 0, said
    assert {one["action"] for one in shared["images"]} == {"pushed"}
    shutil.copytree(bench.certificates, tmp_path / "no-ca")
    (tmp_path / "no-ca/ca.pem").unlink()
    for folder in (make_certificates(tmp_path / "other", "127.0.0.1"), tmp_path / "no-ca"):
        code, document, _ = first.over_tls(bench.first, folder).run("build")
        assert code == 3
        assert "pem" in document["error"] + document["advice"]


def test_what_one_image_store_built_is_pulled_by_the_other(bench: Bench) -> None:
    second = bench.over_tls(bench.second, bench.certificates)
    code, _, said = second.run("setup")
    assert code == 0, said
    assert second.build() == {"low": "pulled", "high": "pulled", "app": "built"}
    assert second.build() == {"low": "kept", "high": "kept", "app": "fresh"}


@contextmanager
def remote_builder(bench: Bench) -> Iterator["subprocess.Popen[bytes]"]:
    """The second machine's BuildKit as a builder of Buildx; the process group through which it is reached."""
    port = free_port()
    argv = [sys.executable, str(RELAY), bench.second.engine.host, str(port)]
    relay = subprocess.Popen(argv, start_new_session=True)
    try:
        create = ["docker", "buildx", "create", "--name", BUILDER, "--driver", "remote", f"tcp://127.0.0.1:{port}"]
        command.run(create, env=bench.variables).require()
        yield relay
    finally:
        end(relay)
        relay.wait()


def end(relay: "subprocess.Popen[bytes]") -> None:
    """With all connections, as when the machine is gone."""
    os.killpg(relay.pid, signal.SIGKILL)


def local_images(node: Node) -> str:
    return node.docker("images", "--format", "{{.Repository}}:{{.Tag}}")


def forget(node: Node, *, cache_only: bool = False) -> None:
    if not cache_only and (ids := node.docker("images", "--quiet").split()):
        node.docker("image", "rm", "--force", *dict.fromkeys(ids))
    node.docker("builder", "prune", "--all", "--force")


def test_a_builder_elsewhere_builds_through_the_registry(bench: Bench) -> None:
    chosen: Mapping[str, str] = {"BUILDX_BUILDER": BUILDER}
    with remote_builder(bench) as relay:
        # An image of that machine under one of our names would be built on, unseen.
        forget(bench.second)
        bench.write("low/salt", uuid.uuid4().hex)
        assert bench.build(**chosen) == dict.fromkeys(("low", "high", "app"), "built")
        assert not local_images(bench.second)
        assert bench.machines.registry.address not in local_images(bench.first)
        assert set(bench.build(**chosen).values()) == {"fresh"}
        assert bench.first.docker("run", "--rm", "layerstack-test/app:elsewhere", "cat", "/code") == "one"
        code, _, said = bench.run("share", **chosen)
        assert code == 0, said

        forget(bench.second, cache_only=True)
        bench.write("app/code", "two\n")
        assert bench.build(**chosen) == {"low": "pulled", "high": "pulled", "app": "built"}
        assert bench.build(**chosen) == {"low": "kept", "high": "kept", "app": "fresh"}
        assert bench.first.docker("run", "--rm", "layerstack-test/app:elsewhere", "cat", "/code") == "two"

        bench.write("app/Dockerfile", "FROM high\nCOPY code /code\nRUN --network=none sleep 60\n")
        began = time.monotonic()
        watched = {**os.environ, "PYTHONPATH": str(ROOT), **bench.variables, **chosen}
        argv = [sys.executable, "-m", "layerstack", "build"]
        pipe = subprocess.PIPE
        building = subprocess.Popen(argv, cwd=bench.root, env=watched, stdout=pipe, stderr=pipe, text=True)
        assert building.stderr
        seen = next((line for line in building.stderr if "sleep" in line), "")
        end(relay)
        _, said = building.communicate(timeout=SECONDS)
        assert (building.returncode, bool(seen)) == (4, True), said
        assert time.monotonic() - began < 50
        assert "BUILDX_BUILDER=default" in said.splitlines()[-1]
    bench.write("app/Dockerfile", "FROM high\nCOPY code /code\n")
    assert bench.build(BUILDX_BUILDER="default")["app"] in ("fresh", "built")


def test_a_builder_of_the_compose_file_is_the_builder(bench: Bench) -> None:
    file = bench.root / "docker-compose.yml"
    before = file.read_text()
    file.write_text(f"{before}\nx-layerstack: {{ builder: layerstack-test-nonesuch }}\n")
    code, document, _ = bench.run("build")
    file.write_text(before)
    assert code == 4
    assert "layerstack-test-nonesuch" in document["error"]
    assert "BUILDX_BUILDER=default" in document["advice"]
