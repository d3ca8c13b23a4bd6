"""Compose gives up on what is unhealthy at that moment: whether another call is worth it."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from verify_parts import make_container, make_project

from layerstack.engine.container import Container
from layerstack.run import watch
from layerstack.run.startup import Silent
from layerstack.run.watch import Watch

Begin = Callable[..., Watch]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """A watch over `api`, whose container is found like this at one look after the other."""

    def make(*looks: Container) -> Watch:
        left = list(looks)
        monkeypatch.setattr(watch.engine, "client", lambda: None)
        monkeypatch.setattr(watch, "read_all", lambda *_: {"api": (left.pop(0) if len(left) > 1 else left[0],)})
        monkeypatch.setattr(watch, "INTERVAL_SECONDS", 0.0)
        return Watch(make_project({"api": {"healthcheck": {}}}, tmp_path), ("api",), Silent(), 60.0)

    return make


SICK, WELL = make_container("api", health="unhealthy"), make_container("api", health="healthy")


def test_what_recovers_while_one_looks_is_worth_another_call(begin: Begin) -> None:
    assert begin(SICK, SICK, SICK, WELL).await_recovery()


def test_so_is_what_has_recovered_since_compose_looked_but_once(begin: Begin) -> None:
    found = begin(SICK, SICK, WELL)
    found.poll()
    assert found.await_recovery()
    assert not found.await_recovery()


def test_what_was_well_all_the_time_is_not(begin: Begin) -> None:
    found = begin(WELL)
    found.poll()
    assert not found.await_recovery()


def test_there_is_an_end_to_waiting(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "RECOVERY_SECONDS", 0.05)
    found = begin(SICK)
    found.poll()
    assert not found.await_recovery()


def test_restarts_before_this_start_do_not_count(begin: Begin) -> None:
    before = make_container("api", restart_count=5, started_at="2026-11-27T10:00:00Z")
    again = make_container("api", restart_count=6, started_at="2026-11-27T10:05:00Z")
    found = begin(before, again)
    found.is_composing = False
    assert found.poll() is None


def test_a_container_that_was_started_by_hand_counts_from_zero(begin: Begin) -> None:
    before = make_container("api", restart_count=5, started_at="2026-11-27T10:00:00Z")
    found = begin(before)
    found.is_composing = False
    now = make_container("api", restart_count=2, started_at="2026-11-27T10:05:00Z")
    assert found._judge("api", now).phase == "failed"


def test_what_ended_because_its_need_is_made_anew_waits_for_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = {"depends_on": {"db": {"condition": "service_healthy"}}, "ports": ["1"]}
    before = {"api": (make_container("api", started_at="2026-1"),), "db": (make_container("db", started_at="2026-1"),)}
    monkeypatch.setattr(watch.engine, "client", lambda: None)
    monkeypatch.setattr(watch, "read_all", lambda *_: before)
    found = Watch(make_project({"api": needs, "db": {}}, tmp_path), ("db", "api"), Silent(), 60.0)
    found.is_composing = False
    ended = make_container("api", started_at="2026-1", status="exited", exit_code=1)
    assert found._judge("api", ended).phase == "failed"
    monkeypatch.setattr(found, "_found", {"db": (make_container("db", started_at="2026-2", health="starting"),)})
    assert found._judge("api", ended).phase == "waiting"
    found._ready_seconds["db"] = 1.0
    assert found._judge("api", ended).phase == "failed"
    started: list[str] = []
    monkeypatch.setattr(found, "_client", SimpleNamespace(api=SimpleNamespace(start=started.append)))
    after = {"api": (ended,), "db": (make_container("db", started_at="2026-2", health="healthy"),)}
    monkeypatch.setattr(found, "_found", after)
    monkeypatch.setattr(watch, "read_all", lambda *_: after)
    found._start_cut_off()
    found._start_cut_off()
    assert started == ["api"]
