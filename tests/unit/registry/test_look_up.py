"""One question for each image, all at once, two seconds in all."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from layerstack.engine import engine
from layerstack.engine.api import EngineRefused, ObjectMissing
from layerstack.registry.look_up import look_up
from layerstack.registry.trouble import FAILS, SILENT

HERE = "h:1/x:inputs-a"


def ask(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    api = SimpleNamespace(inspect_distribution=answer)
    monkeypatch.setattr(engine, "client", lambda: SimpleNamespace(api=api))


def found(_: str) -> dict[str, Any]:
    return {"Descriptor": {"digest": "sha256:1"}}


def test_an_image_that_is_there_is_pulled_by_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    ask(monkeypatch, found)
    answer = look_up([HERE])[HERE]
    assert (answer.digest, answer.pinned, answer.trouble) == ("sha256:1", "h:1/x@sha256:1", None)


def test_one_that_is_not_there_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ObjectMissing("manifest unknown")

    ask(monkeypatch, missing)
    answer = look_up([HERE])[HERE]
    assert (answer.digest, answer.trouble) == ("", None)


def test_silence_is_over_in_time_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    ask(monkeypatch, lambda reference: found(reference) if reference == HERE else time.sleep(60))
    began = time.monotonic()
    answers = look_up([HERE, *(f"h:1/x:{number}" for number in range(5))], within_seconds=0.3)
    assert time.monotonic() - began < 30
    assert answers[HERE].digest
    assert [answer.trouble for answer in answers.values()] == [None, *[SILENT] * 5]


def test_an_error_of_the_registry_is_asked_about_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """docker-registry has one while another process writes the same tag."""
    asked: list[str] = []

    def fails_once(reference: str) -> dict[str, Any]:
        asked.append(reference)
        if len(asked) == 1:
            raise EngineRefused("received unexpected HTTP status: 500 Internal Server Error")
        return found(reference)

    ask(monkeypatch, fails_once)
    assert look_up([HERE])[HERE].digest
    assert len(asked) == 2


def test_an_error_that_stays_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: str) -> None:
        raise EngineRefused("received unexpected HTTP status: 500 Internal Server Error")

    ask(monkeypatch, fails)
    assert look_up([HERE], within_seconds=0.3)[HERE].trouble is FAILS
