"""The limits of the gate."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pose_service.gate import BusyError, Gate


def test_never_more_inside_than_places() -> None:
    gate, lock, inside, most = Gate(2, 16, 10), threading.Lock(), 0, 0

    def visit(_number: int) -> None:
        nonlocal inside, most
        with gate.enter():
            with lock:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.01)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(visit, range(16)))
    assert most == 2


def test_a_full_queue_refuses_at_once() -> None:
    gate = Gate(1, 1, 10)
    with ThreadPoolExecutor(1) as pool:
        leave = threading.Event()
        with gate.enter():
            waiting = pool.submit(_visit, gate, leave)
            while gate._visitors._value:
                threading.Event().wait(0.01)
            with pytest.raises(BusyError, match="1 are already waiting"), gate.enter():
                pass
        leave.set()
        waiting.result(timeout=10)


def test_waiting_ends_after_its_time_and_leaves_the_gate_usable() -> None:
    gate = Gate(1, 1, 0.02)
    with gate.enter(), pytest.raises(BusyError, match="no place became free"), gate.enter():
        pass
    with pytest.raises(KeyError), gate.enter():
        raise KeyError
    with gate.enter():
        pass


def _visit(gate: Gate, leave: threading.Event) -> None:
    with gate.enter():
        assert leave.wait(10)
