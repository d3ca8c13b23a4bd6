"""Who holds a port: with real sockets of this very process."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from layerstack.engine import ports
from layerstack.engine.ports import Holder, find_holder
from layerstack.project.declaration import source_of
from layerstack.project.project import Port, Project, Service

needs_proc = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system has no /proc")


@pytest.fixture(params=["127.0.0.1", "0.0.0.0", "::"])
def taken_port(request: pytest.FixtureRequest) -> Iterator[int]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((request.param, 0))
        listener.listen()
        yield listener.getsockname()[1]


@needs_proc
def test_a_process_is_named(taken_port: int) -> None:
    holder = find_holder(None, Port("127.0.0.1", taken_port, 80))
    assert holder is not None
    assert holder.pid == os.getpid()
    assert holder.name == Path("/proc/self/comm").read_text().strip()
    assert holder.remedy == f"kill {os.getpid()}"


# The socket has the highest number: whoever reads the list meets the files that vanish first.
BUSY = """
import os, socket
with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port = listener.getsockname()[1]
    os.dup2(listener.fileno(), 900)
print(port, flush=True)
while True:
    for number in [os.open("/dev/null", os.O_RDONLY) for _ in range(200)]:
        os.close(number)
"""


@needs_proc
def test_a_process_that_opens_and_closes_files_is_always_named() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True) as busy:
        assert busy.stdout
        port = int(busy.stdout.readline())
        found = {holder.pid if (holder := find_holder(None, Port("127.0.0.1", port, 80))) else 0 for _ in range(15)}
        busy.kill()
    assert found == {busy.pid}


@pytest.mark.parametrize("name", ["docker-proxy", "rootlesskit", "rootlessport"])
def test_the_proxy_of_another_engine_is_not_to_be_killed(
    name: str, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil.Process, "name", lambda _: name)
    holder = find_holder(None, Port("127.0.0.1", taken_port, 80))
    assert holder
    assert "another engine" in holder.words
    assert holder.remedy == ""


def test_the_first_process_is_not_to_be_killed() -> None:
    assert ports._holder(22, 1).remedy == ""


class Engine:
    """One container of another project that publishes a port."""

    def __init__(self, **binding: Any) -> None:
        self.api = self
        self._binding = binding

    def containers(self) -> list[dict[str, Any]]:
        return [{"Id": "1", "Names": ["/dns"], "Ports": [self._binding], "Labels": None}]


def test_a_port_of_udp_is_another_one() -> None:
    binding = {"PublicPort": 53, "PrivatePort": 53, "IP": "0.0.0.0"}
    client: Any = Engine(Type="udp", **binding)
    assert ports.find_container(client, Port("", 53, 53)) is None
    client = Engine(Type="tcp", **binding)
    assert ports.find_container(client, Port("", 53, 53)) is not None


def test_a_program_here_holds_no_port_of_another_machine(taken_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = Engine(Type="tcp", PublicPort=1, IP="")
    port = Port("127.0.0.1", taken_port, 80)
    assert find_holder(client, port) is not None
    monkeypatch.setenv("DOCKER_HOST", "ssh://me@10.0.0.5")
    assert find_holder(client, port) is None


def test_a_machine_without_ipv6_has_a_free_port_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr(ports.socket, "socket", refuse)
    assert ports._try_bind(Port("::1", 8080, 80)) is None


def test_a_free_port_has_no_holder() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert find_holder(None, Port("127.0.0.1", port, 80)) is None


@needs_proc
def test_an_address_of_ipv4_behind_a_socket_of_ipv6_is_that_address() -> None:
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::ffff:127.0.0.1", 0))
        listener.listen()
        holder = find_holder(None, Port("127.0.0.1", listener.getsockname()[1], 80))
    assert holder
    assert holder.pid == os.getpid()


@needs_proc
def test_another_address_does_not_collide() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.2", 0))
        listener.listen()
        assert find_holder(None, Port("127.0.0.1", listener.getsockname()[1], 80)) is None


class FakeApi:
    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.api = self
        self._entries = entries

    def containers(self) -> list[dict[str, Any]]:
        return self._entries


def test_a_container_is_named_with_its_project() -> None:
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    ports = [{"IP": "0.0.0.0", "PublicPort": 8080, "PrivatePort": 80}]
    holder = find_holder(FakeApi([{"Names": ["/shop-web-1"], "Labels": labels, "Ports": ports}]), Port("", 8080, 80))
    assert holder == Holder(8080, "shop-web-1", 0, "shop", "web", True)
    assert holder.words == "container shop-web-1 of the project shop"


@pytest.mark.parametrize(
    ("entry", "source"),
    [
        ('"127.0.0.1:${WEB_PORT:-8080}:80"', "WEB_PORT in .env"),
        ('"$WEB_PORT:80/tcp"', "WEB_PORT in .env"),
        ('"${IP:-127.0.0.1}:${WEB_PORT:-8080}:80"', "WEB_PORT in .env"),
        ('"${IP:-127.0.0.1}:8080:80"', "the ports of web in docker-compose.yml:4"),
        ('{target: 80, published: "${WEB_PORT}"}', "WEB_PORT in .env"),
        ('"8080:80"', "the ports of web in docker-compose.yml:4"),
        ('"${OTHER}:90"', "the ports of web in docker-compose.yml"),
    ],
)
def test_where_a_port_is_chosen(tmp_path: Path, entry: str, source: str) -> None:
    compose = tmp_path / "docker-compose.yml"
    compose.write_text(f"services:\n  web:\n    deploy: !reset null\n    ports: [{entry}]\n")
    web = Service("web", "", (), {})
    project = Project(tmp_path, "demo", "cpu", (compose,), (), {}, {"web": web})
    assert source_of(project, web, Port("", 8080, 80)) == source
