"""Where a service is reached: by its checks, by the convention of its port, or by what answers there."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from layerstack.engine.place import EnginePlace
from layerstack.project.service import Port, Service
from layerstack.run import address
from layerstack.run.address import addresses, tunnel


@contextmanager
def listening(answer: bytes) -> Iterator[int]:
    """A port whose every connection gets these bytes."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def project(published: int, target: int, **definition: Any) -> Any:
    service = Service("web", "web", (Port("127.0.0.1", published, target),), definition)
    return SimpleNamespace(services={"web": service, "worker": Service("worker", "worker", (), {})})


@pytest.mark.parametrize(
    ("answer", "scheme"),
    [(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "http://"), (b"* OK IMAP4 ready\r\n", ""), (b"", "")],
)
def test_what_answers_decides(answer: bytes, scheme: str) -> None:
    with listening(answer) as port:
        assert addresses(project(port, 8123)) == {"web": f"{scheme}127.0.0.1:{port}"}


@pytest.mark.parametrize(("target", "scheme"), [(27017, "mongodb"), (5432, "postgres"), (6379, "redis")])
def test_a_database_is_known_by_its_port_and_not_asked(target: int, scheme: str) -> None:
    with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as port:
        assert addresses(project(port, target)) == {"web": f"{scheme}://127.0.0.1:{port}"}


def test_a_check_over_http_needs_no_answer() -> None:
    checked = {"x-layerstack": {"verify": [{"check": "answers", "http": "/"}]}}
    assert addresses(project(1, 8000, **checked)) == {"web": "http://127.0.0.1:1"}


def test_an_address_that_leads_elsewhere_is_none_and_has_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "find_place", lambda: EnginePlace("10.0.0.5", "10.0.0.5"))
    shop = project(5000, 27017)
    assert addresses(shop) == {}
    assert tunnel(shop) == "ssh -N -L 5000:127.0.0.1:5000 10.0.0.5"
    shop.services["web"] = Service("web", "web", (Port("0.0.0.0", 5000, 27017),), {})
    assert addresses(shop) == {"web": "mongodb://10.0.0.5:5000"}
    assert tunnel(shop) == ""


@pytest.mark.parametrize(
    ("engine", "host_ip", "command"),
    [
        ("ssh://me@10.0.0.5:2222", "127.0.0.1", "ssh -N -L 5000:127.0.0.1:5000 ssh://me@10.0.0.5:2222"),
        ("ssh://10.0.0.5/run/docker.sock", "127.0.0.2", "ssh -N -L 5000:127.0.0.2:5000 ssh://10.0.0.5"),
        ("tcp://10.0.0.5:2375", "::1", "ssh -N -L 5000:[::1]:5000 10.0.0.5"),
        ("tcp://127.0.0.1:2375", "127.0.0.1", ""),
    ],
)
def test_a_tunnel_goes_the_way_of_the_docker_command(
    engine: str, host_ip: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine)
    shop = project(5000, 27017)
    shop.services["web"] = Service("web", "web", (Port(host_ip, 5000, 27017),), {})
    assert tunnel(shop) == command


def test_an_engine_at_an_address_of_ipv6_has_brackets() -> None:
    assert EnginePlace("fd00::5").address(Port("", 5000, 80)) == "[fd00::5]:5000"
    assert EnginePlace("10.0.0.5").address(Port("fd00::6", 5000, 80)) == "[fd00::6]:5000"
