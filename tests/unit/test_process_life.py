"""Which processes run: numbers are used again, and the dead stay in the list until they are collected."""

import os
import signal
import subprocess
import sys

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack.process_life import ancestors, is_in_container, is_running
from layerstack.wait import wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_killed_process_does_not_run_before_anybody_collects_it() -> None:
    with subprocess.Popen(SLEEP) as process:
        assert is_running(process.pid)
        assert is_running(str(process.pid))
        process.send_signal(signal.SIGKILL)
        assert wait_until(lambda: not is_running(process.pid), 5.0)
    assert not is_running(process.pid)


@given(st.from_regex(r"-?[0-9]{0,25}|[a-f-]{1,5}", fullmatch=True))
def test_asking_for_any_process_is_safe(text: str) -> None:
    assert is_running(text) in (True, False)


def test_a_process_that_may_not_be_looked_at_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> str:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "status", refuse)
    assert is_running(os.getpid())


def test_ancestors_begin_with_the_process_and_its_parent() -> None:
    with subprocess.Popen(SLEEP) as process:
        assert list(ancestors(process.pid))[:2] == [process.pid, os.getpid()]
        process.kill()
    assert list(ancestors(process.pid)) == []


def test_no_process_is_in_a_container_that_never_was() -> None:
    assert not is_in_container(os.getpid(), "")
    assert not is_in_container(os.getpid(), "f" * 64)
