"""Waiting: one poll, one bounded call."""

import threading
import time

import pytest

from layerstack.wait import call_within, wait_until


def test_wait_until_returns_the_first_true_answer() -> None:
    answers = iter([None, "", "here", "later"])
    assert wait_until(lambda: next(answers), timeout_seconds=5, interval_seconds=0.001) == "here"


def test_wait_until_gives_up_and_has_asked_at_least_once() -> None:
    asked: list[float] = []
    started = time.monotonic()
    assert wait_until(lambda: asked.append(0), timeout_seconds=0.05, interval_seconds=0.01) is None
    assert 0.05 <= time.monotonic() - started < 30
    assert len(asked) > 1
    asked.clear()
    assert wait_until(lambda: asked.append(0), timeout_seconds=0) is None
    assert len(asked) == 1


def test_call_within_hands_over_value_and_error() -> None:
    assert call_within(5, lambda: 3) == 3
    with pytest.raises(KeyError, match="name"):
        call_within(5, lambda: {}["name"])


def test_call_within_leaves_a_hanging_call_behind() -> None:
    never = threading.Event()
    started = time.monotonic()
    with pytest.raises(TimeoutError, match="within 0 s"):
        call_within(0.05, never.wait)
    assert time.monotonic() - started < 30
    never.set()
