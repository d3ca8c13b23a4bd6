"""Docker takes connections to every published port: whether a program stands behind it."""

import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from verify_parts import READY, failed, make_container, make_evidence, make_project, make_result

from layerstack.engine.container import Mount
from layerstack.engine.place import EnginePlace
from layerstack.project.project import Port, Service
from layerstack.verify import state_links
from layerstack.verify.checks import CheckResult
from layerstack.verify.diagnosis import name_fault
from layerstack.verify.listening import Listener

CLIENT: Any = None
WEB, DEBUG = Listener("0.0.0.0", 80), Listener("127.0.0.1", 9229)


@pytest.fixture
def dropping() -> Iterator[int]:
    """A port where every connection is taken and ended, as Docker's proxy does when nobody stands behind it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drop() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=drop, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def links(published: dict[int, int]) -> list[CheckResult]:
    """Of a container with these ports: target → port of this machine."""
    ports = tuple(Port("127.0.0.1", here, target) for target, here in published.items())
    one = make_container("api", ports=ports, health="healthy")
    found = state_links.links_of(CLIENT, one, Service("api", "api:1", ports, {}), READY, EnginePlace())
    return [link for link in found if link.link == "port"]


@pytest.mark.parametrize(
    ("listening", "outcomes"),
    [
        ((WEB,), [(True, True)]),
        ((), [(False, True)]),
        ((Listener("127.0.0.1", 80),), [(False, True)]),
        (None, [(True, True)]),
    ],
)
def test_a_published_port_without_a_program_is_no_open_port(
    dropping: int,
    monkeypatch: pytest.MonkeyPatch,
    listening: tuple[Listener, ...] | None,
    outcomes: list[tuple[bool, bool]],
) -> None:
    monkeypatch.setattr(state_links, "read_listeners", lambda *_: listening)
    assert [(link.is_ok, link.is_asked) for link in links({80: dropping})] == outcomes


def test_the_port_of_a_debugger_that_is_off_is_not_checked_and_no_fault(
    dropping: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_links, "read_listeners", lambda *_: (WEB, DEBUG))
    assert [(link.is_ok, link.is_asked) for link in links({80: dropping, 9229: dropping})] == [
        (True, True),
        (True, False),
    ]


@pytest.mark.parametrize(("age_seconds", "kind"), [(3, "not-ready-yet"), (60, "wrong-port")])
def test_a_port_that_opens_after_the_health_check_passes_is_on_its_way(age_seconds: int, kind: str) -> None:
    started = datetime.now(timezone.utc) - timedelta(seconds=age_seconds)
    ports = (Port("127.0.0.1", 8080, 80),)
    one = make_container("api", ports=ports, health="healthy", started_at=started.isoformat())
    closed = failed("port 80", "127.0.0.1:8080 is published, and nothing listens", link="port")
    seen = make_evidence(make_project({"api": {}}), make_result(one, closed), listeners=(Listener("0.0.0.0", 9090),))
    assert name_fault(seen).kind == kind


@pytest.mark.parametrize(
    ("age_seconds", "is_writable", "kind"),
    [(5, True, "not-ready-yet"), (5, False, "listens-on-loopback"), (90, True, "listens-on-loopback")],
)
def test_a_database_that_is_healthy_and_makes_its_data_on_loopback(
    tmp_path: Path, age_seconds: int, is_writable: bool, kind: str
) -> None:
    (tmp_path / "compose.yml").write_text("services:\n  api:\n    image: a\n")
    started = datetime.now(timezone.utc) - timedelta(seconds=age_seconds)
    mounts = (Mount("volume", "shop_data", "/data", is_writable),)
    ports = (Port("127.0.0.1", 8080, 80),)
    one = make_container("api", ports=ports, health="healthy", started_at=started.isoformat(), mounts=mounts)
    closed = failed("port 80", "127.0.0.1:8080 is published, and nothing listens", link="port")
    seen = make_evidence(
        make_project({"api": {}}, tmp_path), make_result(one, closed), listeners=(Listener("127.0.0.1", 80),)
    )
    assert name_fault(seen).kind == kind


def test_a_program_that_waits_for_a_question_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_links, "read_listeners", lambda *_: pytest.fail("nothing was ended"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert [link.is_ok for link in links({80: server.getsockname()[1]})] == [True]
