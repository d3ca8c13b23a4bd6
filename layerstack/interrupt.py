"""Ctrl-C kept away from the moments in which it would leave a child or a lock behind."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handled = tuple[int, FrameType | None]


@contextmanager
def held() -> Iterator[None]:
    """Keep Ctrl-C back until the end of the block, which must be short; it is handled then.

    Only the main thread of Python handles signals: in others nothing is done. The handler is replaced and the signal is
    not blocked, because a child inherits a blocked signal and would never hear Ctrl-C.
    """
    handler = signal.getsignal(signal.SIGINT)
    # A signal that is ignored, or ends the process at once, is left so: a child inherits that, too.
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    came: list[Handled] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            handler(*came[0])


def start_thread(target: Callable[..., object], *arguments: object) -> threading.Thread:
    """Start a daemon thread, which does not keep the program alive.

    An interrupt while `Thread.start` waits can come out as "release unlocked lock" (CPython's Condition.wait).
    """
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    with held():
        thread.start()
    return thread
