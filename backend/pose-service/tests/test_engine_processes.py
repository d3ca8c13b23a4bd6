"""Real engine processes that die, hang, fail and come back."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from running_engines import running_engines, wait_until
from scripted_jobs import KILL, STOP, CountJob, EchoJob, ErrorJob, PidJob, SignalJob, SlowJob
from server import BUSY_SECONDS

from pose_service.contract.engine import EngineFailedError
from pose_service.contract.job import Job, JobError
from pose_service.pool.caller import Caller
from pose_service.pool.engine_pool import EnginePool
from pose_service.pool.pool_errors import DeadlineError, EngineLostError, NoEngineError, StoppingError
from pose_service.web import job_run
from pose_service.web.job_run import JobLimits, run_job

LIMITS = JobLimits(seconds=20.0, step_seconds=10.0)
HASTY = JobLimits(seconds=20.0, step_seconds=0.5)


@pytest.fixture(scope="module")
def pool() -> Iterator[EnginePool]:
    """Two engines."""
    with running_engines(2) as running:
        assert running.roster.status == "ready"
        yield running


@pytest.fixture(autouse=True)
def _all_back(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test leaves two engines that answer."""
    yield
    if "pool" in request.fixturenames:
        running: EnginePool = request.getfixturevalue("pool")
        wait_until(lambda: len(running.roster.ready) == 2)
        assert run(running, EchoJob(), b"well") == [b"well"]


def run(pool: EnginePool, job: Job, content: bytes = b"", limits: JobLimits = LIMITS) -> list[Any]:
    return list(run_job(pool, job, io.BytesIO(content), limits, Caller()))


@pytest.mark.parametrize("size", [0, 1, 1000, 3 * 1024 * 1024])
def test_an_engine_reads_the_file(pool: EnginePool, size: int) -> None:
    content = os.urandom(size)
    assert run(pool, EchoJob(), content) == [content]


def test_a_file_on_disk_is_handed_over_without_a_copy(pool: EnginePool, tmp_path: Path) -> None:
    content = os.urandom(2 * 1024 * 1024)
    path = tmp_path / "large"
    path.write_bytes(content)
    with path.open("rb+") as media:
        media.read(100)
        assert list(run_job(pool, EchoJob(), media, LIMITS, Caller())) == [content]


def test_two_jobs_run_in_two_processes(pool: EnginePool) -> None:
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: run(pool, CountJob(2, 0.2)), range(2))
    assert [number for number, _ in first] == [number for number, _ in second] == [0, 1]
    assert len({entry.pid for entry in pool.roster.ready}) == 2


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("job", JobError, "the file is bad"),
        ("engine", EngineFailedError, "the graph broke"),
        ("memory", EngineFailedError, "not enough memory"),
        ("bug", EngineFailedError, "unexpected KeyError"),
    ],
)
def test_an_error_reaches_the_request_and_the_engine_lives(
    pool: EnginePool, kind: str, error: type[Exception], text: str
) -> None:
    before = pids(pool)
    with pytest.raises(error, match=text):
        run(pool, ErrorJob(kind))
    assert pids(pool) == before


def test_a_killed_engine_costs_its_request_and_comes_back(pool: EnginePool) -> None:
    before, restarts = pids(pool), pool.roster.restarts
    with pytest.raises(EngineLostError, match="killed by SIGKILL"):
        run(pool, SignalJob(KILL))
    wait_until(lambda: len(pool.roster.ready) == 2)
    assert len(pids(pool) & before) == 1
    assert pool.roster.restarts == restarts + 1


def test_an_engine_that_is_killed_while_it_rests_costs_nothing(pool: EnginePool) -> None:
    victim = min(pids(pool))
    os.kill(victim, signal.SIGKILL)
    for _ in range(20):
        assert run(pool, PidJob()) != [victim]
    wait_until(lambda: victim not in pids(pool))


def test_a_hanging_engine_is_killed_at_the_deadline(pool: EnginePool) -> None:
    before = pids(pool)
    started = time.monotonic()
    with pytest.raises(DeadlineError, match=r"no answer within 0\.5 s"):
        run(pool, SignalJob(STOP), limits=HASTY)
    assert 0.4 < time.monotonic() - started < 5 + BUSY_SECONDS
    wait_until(lambda: len(pids(pool)) == 2 and len(pids(pool) & before) == 1)


def test_signs_of_life_keep_a_long_job_alive(pool: EnginePool) -> None:
    # Together longer than the limit, each far below it.
    limits = JobLimits(seconds=20.0, step_seconds=2.0)
    assert run(pool, SlowJob(signs=8, pause_seconds=0.3), limits=limits) == ["done"]


def test_one_engine_answers_while_the_other_is_down(pool: EnginePool) -> None:
    with pytest.raises(EngineLostError):
        run(pool, SignalJob(KILL))
    assert run(pool, EchoJob(), b"still here") == [b"still here"]


def test_work_that_goes_on_too_long_is_cancelled_and_the_engine_lives(pool: EnginePool) -> None:
    before = pids(pool)
    with pytest.raises(DeadlineError, match=r"longer than 0.3 s"):
        run(pool, CountJob(1000, 0.05), limits=JobLimits(seconds=0.3, step_seconds=5.0))
    assert pids(pool) == before


def test_a_slow_reader_holds_the_job_up(pool: EnginePool, tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    results = run_job(pool, CountJob(1000, 0.0, str(progress), 100_000), io.BytesIO(), LIMITS, Caller())
    assert next(results)[0] == 0
    time.sleep(0.5)
    assert int(progress.read_text()) < 20
    assert [number for number, _ in results] == list(range(1, 1000))


def test_closing_the_results_ends_the_job(pool: EnginePool, tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    results = run_job(pool, CountJob(10_000, 0.01, str(progress)), io.BytesIO(), LIMITS, Caller())
    assert next(results)[0] == 0
    results.close()  # type: ignore[attr-defined]
    wait_until(lambda: progress.read_text() == "closed")


def test_an_idle_engine_that_hangs_costs_time_but_no_request(pool: EnginePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_run, "BEGIN_SECONDS", 0.5)
    victim = min(pids(pool))
    os.kill(victim, signal.SIGSTOP)
    for _ in range(4):
        assert run(pool, PidJob()) != [victim]
    wait_until(lambda: victim not in pids(pool))


def test_a_stop_ends_running_work() -> None:
    with running_engines(1) as pool:
        results = run_job(pool, CountJob(10_000, 0.01), io.BytesIO(), LIMITS, Caller())
        assert next(results)[0] == 0
        pool.draining.begin(0.2)
        with pytest.raises(StoppingError):
            list(results)


def test_many_requests_and_killings_lose_only_the_killed(pool: EnginePool) -> None:
    stop = threading.Event()

    def kill_now_and_then() -> None:
        while not stop.wait(0.7):
            for pid in sorted(pids(pool))[:1]:
                os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(lambda number: _echo_or_loss(pool, number), range(300)))
    stop.set()
    killer.join()
    echoes = [outcome for outcome in outcomes if outcome != "lost"]
    assert all(outcome == "right" for outcome in echoes)
    assert len(outcomes) - len(echoes) <= 10


def test_an_engine_that_cannot_load_is_failed_with_the_reason() -> None:
    with running_engines(1, POSE_ENGINE="hmr2") as pool:
        assert pool.roster.status == "failed"
        assert "hmr2 needs the GPU image" in pool.roster.reason
        with pytest.raises(NoEngineError, match="hmr2 needs the GPU image"):
            run(pool, EchoJob())


def test_restarts_are_further_and_further_apart() -> None:
    with running_engines(1, POSE_ENGINE="hmr2") as pool:
        moments = []
        for failures in (4, 5, 6):
            wait_until(lambda wanted=failures: pool.roster.entries[0].failures >= wanted)  # type: ignore[misc]
            moments.append(time.monotonic())
        assert moments[1] - moments[0] > 0.7
        assert moments[2] - moments[1] > 1.5


def test_the_engines_end_with_the_process_that_started_them() -> None:
    with running_engines(1) as pool:
        (pid,) = pids(pool)
        results = run_job(pool, CountJob(10_000, 0.01), io.BytesIO(), LIMITS, Caller())
        assert next(results)[0] == 0
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), seconds=5)


def pids(pool: EnginePool) -> set[int]:
    return {entry.pid for entry in pool.roster.ready}


def _echo_or_loss(pool: EnginePool, number: int) -> str:
    content = str(number).encode()
    try:
        return "right" if run(pool, EchoJob(), content) == [content] else "wrong"
    except EngineLostError:
        return "lost"
