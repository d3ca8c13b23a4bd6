"""Docker takes connections to every published port: whether a program stands behind it."""

import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from verify_parts import READY, make_container

from layerstack.engine.container import Mount
from layerstack.engine.place import EnginePlace
from layerstack.moment import epoch_seconds
from layerstack.project.project import Port, Service
from layerstack.verify import state_links
from layerstack.verify.checks import CheckResult
from layerstack.verify.listening import Listener

CLIENT: Any = None
CREATED, LATER = "2026-11-28T10:00:00Z", "2026-11-28T11:00:00Z"
DATA, CODE = Mount("volume", "shop_data", "/data", True), Mount("bind", "/home/me/shop", "/app", True)
ASKS = ("CMD-SHELL", "curl --fail http://127.0.0.1:8080/health")
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


def links(published: dict[int, int], age_seconds: float = 90, **changes: Any) -> list[CheckResult]:
    """Of a container with these ports: target → port of this machine."""
    started = datetime.now(timezone.utc) - timedelta(seconds=age_seconds)
    ports = tuple(Port("127.0.0.1", here, target) for target, here in published.items())
    one = make_container("api", **{"ports": ports, "health": "healthy", "started_at": started.isoformat(), **changes})
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


@pytest.mark.parametrize(
    ("listening", "health", "changes", "outcome"),
    [
        ((), "healthy", {}, (True, False)),
        ((DEBUG,), "healthy", {}, (True, False)),
        ((Listener("0.0.0.0", 8080),), "", {}, (True, False)),
        # Its health check has passed where it listens: what is published here is nobody's.
        ((Listener("0.0.0.0", 8080),), "healthy", {"health_command": ASKS}, (False, True)),
        ((Listener("0.0.0.0", 1099),), "healthy", {"health_command": ASKS}, (True, False)),
        ((Listener("127.0.0.1", 80),), "healthy", {}, (False, True)),
        ((Listener("127.0.0.1", 80),), "starting", {}, (True, False)),
        # A database makes its data on loopback; a folder of code is no data.
        ((Listener("127.0.0.1", 80),), "healthy", {"mounts": (DATA,)}, (True, False)),
        ((Listener("127.0.0.1", 80),), "healthy", {"mounts": (DATA,), "created_at": LATER}, (False, True)),
        ((Listener("127.0.0.1", 80),), "", {"mounts": (CODE,), "folder": "/app/web"}, (False, True)),
    ],
)
def test_a_program_that_has_just_started_may_open_its_port_yet(
    dropping: int,
    monkeypatch: pytest.MonkeyPatch,
    listening: tuple[Listener, ...],
    health: str,
    changes: dict[str, Any],
    outcome: tuple[bool, bool],
) -> None:
    monkeypatch.setattr(state_links, "read_listeners", lambda *_: listening)
    monkeypatch.setattr(state_links, "read_volume_age", lambda *_: epoch_seconds(CREATED))
    [link] = links({80: dropping}, age_seconds=5, **{"health": health, "created_at": CREATED, **changes})
    assert (link.is_ok, link.is_asked) == outcome


def test_a_program_that_waits_for_a_question_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_links, "read_listeners", lambda *_: pytest.fail("nothing was ended"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert [link.is_ok for link in links({80: server.getsockname()[1]})] == [True]


def test_a_port_on_an_address_of_ipv6_is_asked_there(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], _seconds: float) -> socket.socket:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("socket.create_connection", connect)
    (link,) = links({}, ports=(Port("::1", 8080, 80),))
    assert (link.is_ok, asked) == (False, [("::1", 8080)])
