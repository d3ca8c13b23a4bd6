"""The client that connects only when something is asked of it."""

from types import SimpleNamespace
from typing import Any

import pytest

from layerstack.engine import engine, local
from layerstack.engine.endpoint import Endpoint

CONNECTED = SimpleNamespace(api="the api")


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Endpoint]:
    made: list[Endpoint] = []

    def connect(endpoint: Endpoint) -> Any:
        made.append(endpoint)
        return CONNECTED

    monkeypatch.setattr(engine, "_connect", connect)
    monkeypatch.setattr(engine, "find_endpoint", Endpoint)
    monkeypatch.setattr(local, "ask", lambda *_: [{"Version": "28.5"}])
    return made


def test_a_local_engine_that_answers_is_connected_to_when_it_is_asked(connections: list[Endpoint]) -> None:
    client: Any = engine.client_later()
    assert connections == []
    assert client.api == "the api"
    assert len(connections) == 1


def test_an_engine_that_does_not_answer_is_reported_at_once(
    connections: list[Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "ask", lambda *_: None)
    engine.client_later()
    assert len(connections) == 1


def test_a_chosen_engine_is_compared_with_that_of_the_docker_command_first(
    connections: list[Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "find_endpoint", lambda: Endpoint("unix:///run/other.sock"))
    engine.client_later()
    assert len(connections) == 1
