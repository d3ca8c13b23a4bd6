"""Whose a thing is: only a mark of a process of this machine that is gone makes it abandoned."""

import os
import re
from collections.abc import Iterator

import killed_owner
import psutil
import pytest

from layerstack import owner
from layerstack.owner import is_abandoned, own_mark


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    owner._mark_of.cache_clear()
    yield
    owner._mark_of.cache_clear()


def test_what_a_running_process_owns_is_not_abandoned_and_what_a_killed_one_owned_is() -> None:
    with killed_owner.running() as mark:
        assert not is_abandoned(f"layerstack-audit/web:{mark}-4711")
    assert is_abandoned(f"layerstack-audit/web:{mark}-4711")
    assert not is_abandoned(own_mark())


def test_a_process_that_nobody_collected_yet_is_gone() -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, own_mark().encode())
        os._exit(0)
    mark = os.read(read, 100).decode()
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    try:
        assert psutil.Process(child).status() == psutil.STATUS_ZOMBIE
        assert is_abandoned(mark)
    finally:
        os.waitpid(child, 0)
        os.close(read)
        os.close(write)


def test_a_later_process_with_the_same_number_is_not_the_owner() -> None:
    machine, pid, started = own_mark().split(".")
    assert not is_abandoned(f"{machine}.{pid}.{int(started) + 100}")
    assert is_abandoned(f"{machine}.{pid}.{int(started) - 1000}")


def test_setting_the_clock_makes_no_owner_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    mark, booted, created = own_mark(), psutil.boot_time(), psutil.Process().create_time()
    monkeypatch.setattr(psutil, "boot_time", lambda: booted + 3600)
    monkeypatch.setattr(psutil.Process, "create_time", lambda _self: created + 3600)
    assert not is_abandoned(mark)
    owner._mark_of.cache_clear()
    assert own_mark() == mark


def test_what_another_machine_owns_is_left_alone() -> None:
    _machine, pid, started = killed_owner.killed().split(".")
    assert not is_abandoned(f"01234567.{pid}.{started}")


@pytest.mark.parametrize("name", ["", "layerstack-audit-x7_a", "layerstack-rebuild/web:4711", "0.0.0", "99999999"])
def test_what_has_no_mark_is_left_alone(name: str) -> None:
    assert not is_abandoned(name)


def test_a_process_that_may_not_be_asked_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = killed_owner.killed()

    def refuse(_pid: int) -> float:
        raise psutil.AccessDenied

    monkeypatch.setattr(owner, "_seconds_after_boot", refuse)
    assert not is_abandoned(mark)


def test_a_mark_fits_into_tags_labels_and_names() -> None:
    assert re.fullmatch(r"[\w.-]{1,60}", own_mark())
