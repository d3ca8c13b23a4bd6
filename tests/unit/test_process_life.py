"""Is a process still the one it was: numbers are used again, and the dead stay in the list until they are collected."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

from layerstack.process_life import ancestors, is_container_alive, is_in_container, life_of
from layerstack.wait import wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_living_process_is_not_over() -> None:
    assert not life_of(os.getpid()).is_over


def test_a_killed_process_is_over_before_anybody_collects_it() -> None:
    with subprocess.Popen(SLEEP) as process:
        life = life_of(process.pid)
        assert not life.is_over
        process.send_signal(signal.SIGKILL)
        assert wait_until(lambda: life.is_over, 5.0)
    assert life.is_over


def test_another_process_of_the_same_number_is_another_life() -> None:
    life = life_of(os.getpid())
    assert replace(life, start_ticks=life.start_ticks - 1).is_over
    assert replace(life, boot="another boot").is_over


def test_a_number_without_a_process_has_no_life() -> None:
    with subprocess.Popen(SLEEP) as process:
        process.kill()
    assert life_of(process.pid).is_over


def test_ancestors_begin_with_the_process_and_its_parent() -> None:
    code = "import os, sys; sys.stdout.write(f'{os.getpid()}\\n'); sys.stdout.flush(); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        found = list(ancestors(process.pid))
        assert found[:2] == [process.pid, os.getpid()]
        process.kill()


def test_no_process_is_in_a_container_that_never_was() -> None:
    began = time.monotonic()
    assert not is_in_container(os.getpid(), "")
    assert not is_in_container(os.getpid(), "f" * 64)
    assert not is_container_alive("")
    assert not is_container_alive("f" * 64)
    assert time.monotonic() - began < 5.0
