"""Ctrl-C in the moments in which a child or a lock would be left behind."""

import os
import signal
import threading

import pytest

from layerstack.interrupt import held, start_thread


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_is_handled_after_the_block() -> None:
    passed: list[str] = []

    def go_on() -> None:
        with held():
            interrupt()
            passed.append("the rest of the block")

    with pytest.raises(KeyboardInterrupt):
        go_on()
    assert passed
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_an_interrupt_nothing_is_raised() -> None:
    with held():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_the_block_stays_the_error() -> None:
    with pytest.raises(LookupError), held():
        raise LookupError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_handler_that_is_not_of_python_is_left_as_it_is(handler: signal.Handlers) -> None:
    before = signal.signal(signal.SIGINT, handler)
    try:
        with held():
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_hold_nothing() -> None:
    handlers: list[object] = []

    def look() -> None:
        with held():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(5)
    assert handlers == [signal.default_int_handler]


def test_a_thread_gets_its_arguments_and_keeps_no_program_alive() -> None:
    got: list[object] = []
    thread = start_thread(lambda *arguments: got.extend(arguments), 1, "two")
    thread.join(5)
    assert got == [1, "two"]
    assert thread.daemon


def test_an_interrupt_while_a_thread_starts_leaves_no_broken_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def start_and_interrupt(thread: threading.Thread) -> None:
        interrupt()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_and_interrupt)
    ran = threading.Event()
    with pytest.raises(KeyboardInterrupt):
        start_thread(ran.set)
    # The thread runs all the same: it was started, and then the interrupt was handled.
    assert ran.wait(5)
