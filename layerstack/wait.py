"""The only functions that wait: for a condition, for a call that may hang, for several calls in parallel."""

import queue
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from layerstack.interrupt import start_thread

Answer = TypeVar("Answer")
Thing = TypeVar("Thing")


def wait_until(
    probe: Callable[[], Answer | None], timeout_seconds: float, interval_seconds: float = 0.1
) -> Answer | None:
    """Call `probe` until it returns something true, and return that; None after the timeout.

    `probe` is called at least once, and once more at the deadline. Its exceptions end the wait.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        # Decided before the call, so that something that came true during the last pause is still seen.
        is_last = time.monotonic() >= deadline
        answer = probe()
        if answer:
            return answer
        if is_last:
            return None
        time.sleep(max(0.0, min(interval_seconds, deadline - time.monotonic())))


def beside(work: Callable[[], Answer]) -> "Future[Answer]":
    """Run `work` in a daemon thread: a call that hangs does not keep the program alive, as it would in a pool."""
    future: Future[Answer] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    start_thread(run)
    return future


def call_within(
    timeout_seconds: float,
    function: Callable[[], Answer],
    is_hopeless: Callable[[], bool] | None = None,
    ask_seconds: float = 2.0,
) -> Answer:
    """The result of `function`; TimeoutError when it does not return in time.

    `is_hopeless` is called every `ask_seconds`; True or an exception ends the wait early.
    """
    started = time.monotonic()
    deadline = started + timeout_seconds
    finished = _as_finished([beside(function)])
    while True:
        left_seconds = max(0.0, deadline - time.monotonic())
        try:
            future = finished.get(timeout=min(left_seconds, ask_seconds) if is_hopeless else left_seconds)
            break
        except queue.Empty:
            is_over = time.monotonic() >= deadline
            if is_over or (is_hopeless and is_hopeless()):
                waited_seconds = timeout_seconds if is_over else time.monotonic() - started
                raise TimeoutError(f"no answer within {waited_seconds:.0f} s") from None
    return future.result()


def ask_all(ask: Callable[[Thing], Answer], things: Iterable[Thing]) -> list[Answer]:
    """The results in the order of the things; raises the first error."""
    futures = [beside(partial(ask, thing)) for thing in things]
    finished = _as_finished(futures)
    for _ in futures:
        finished.get().result()
    return [future.result() for future in futures]


def _as_finished(futures: Iterable["Future[Answer]"]) -> "queue.SimpleQueue[Future[Answer]]":
    """The futures as they finish. Ctrl-C can break the locks of Python's own `wait`, and not those of this queue."""
    finished: queue.SimpleQueue[Future[Answer]] = queue.SimpleQueue()
    for future in futures:
        future.add_done_callback(finished.put)
    return finished
