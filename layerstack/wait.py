"""The only functions that wait: one polls, one bounds a call that may hang."""

import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def wait_until(
    probe: Callable[[], Answer | None], timeout_seconds: float, interval_seconds: float = 0.1
) -> Answer | None:
    """Call `probe` until it returns something true, and return that; None after the timeout.

    `probe` is called at least once, and once more at the deadline. Its exceptions end the wait.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        is_last = time.monotonic() >= deadline
        answer = probe()
        if answer:
            return answer
        if is_last:
            return None
        time.sleep(max(0.0, min(interval_seconds, deadline - time.monotonic())))


def call_within(
    timeout_seconds: float,
    function: Callable[[], Answer],
    is_hopeless: Callable[[], bool] | None = None,
    ask_seconds: float = 2.0,
) -> Answer:
    """The result of `function`; TimeoutError when it does not return in time.

    It runs in a daemon thread, so that a call that hangs does not keep the program alive. `is_hopeless` is called every
    `ask_seconds`; True or an exception ends the wait early.
    """
    outcome: queue.SimpleQueue[tuple[Answer | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put((function(), None))
        except BaseException as error:
            outcome.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    started = time.monotonic()
    deadline = started + timeout_seconds
    while True:
        left_seconds = max(0.0, deadline - time.monotonic())
        try:
            value, error = outcome.get(timeout=min(left_seconds, ask_seconds) if is_hopeless else left_seconds)
            break
        except queue.Empty:
            is_over = time.monotonic() >= deadline
            if is_over or (is_hopeless and is_hopeless()):
                waited_seconds = timeout_seconds if is_over else time.monotonic() - started
                raise TimeoutError(f"no answer within {waited_seconds:.0f} s") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]
