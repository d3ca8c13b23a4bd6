"""The only places that wait: one function polls, one bounds a call that may hang."""

import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def wait_until(
    probe: Callable[[], Answer | None], timeout_seconds: float, interval_seconds: float = 0.1
) -> Answer | None:
    """Call `probe` until it gives something true and return that; None when the time is up.

    `probe` is asked at least once, and once more when the time is up. What it raises ends the wait.
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
    """The value of `function`, or what it raised; TimeoutError when it is not back in time.

    The call runs in a daemon thread: one that hangs is left behind and does not keep the program alive. While it
    lasts, `is_hopeless` is asked every `ask_seconds`: its True ends the wait early, what it raises too.
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
