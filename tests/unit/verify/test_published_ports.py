"""Docker takes connections to every published port: whether a program stands behind it."""

import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from verify_parts import READY, make_container

from layerstack.engine.place import EnginePlace
from layerstack.project.project import Port, Service
from layerstack.verify import state_links
from layerstack.verify.checks import CheckResult
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


def links(published: dict[int, int], age_seconds: float = 90) -> list[CheckResult]:
    """Of a container with these ports: target → port of this machine."""
    started = datetime.now(timezone.utc) - timedelta(seconds=age_seconds)
    ports = tuple(Port("127.0.0.1", here, target) for target, here in published.items())
    one = make_container("api", ports=ports, health="healthy", started_at=started.isoformat())
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


def test_a_program_that_has_just_started_may_open_its_port_yet(dropping: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_links, "read_listeners", lambda *_: ())
    assert [(link.is_ok, link.is_asked) for link in links({80: dropping}, age_seconds=5)] == [(True, False)]


def test_a_program_that_waits_for_a_question_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_links, "read_listeners", lambda *_: pytest.fail("nothing was ended"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert [link.is_ok for link in links({80: server.getsockname()[1]})] == [True]
