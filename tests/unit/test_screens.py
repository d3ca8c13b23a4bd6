"""What a terminal of 80 columns shows, whole: the one place where sentences are asserted.

`UPDATE_SCREENS=1 pytest tests/unit/test_screens.py` writes what is printed now; read the difference before it is kept.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from verify_parts import UNHEALTHY, failed, make_container, make_result

from layerstack.build import text as build_text
from layerstack.build.record import BuildRecord, Cause, ImageRecord, StepRecord
from layerstack.build.why import Explanation
from layerstack.doctor.doctor import Examination
from layerstack.doctor.doctor_text import print_findings
from layerstack.finding import Finding, ok
from layerstack.run import text as run_text
from layerstack.run.startup import ServiceProgress, UpResult
from layerstack.status.freshness import Freshness
from layerstack.status.staleness import Stale
from layerstack.status.status import ServiceStatus
from layerstack.status.status_text import print_status
from layerstack.verify.checks import CheckResult
from layerstack.verify.diagnosis import Diagnosis
from layerstack.verify.verify import VerifyReport
from layerstack.verify.verify_text import print_verify

SCREENS = Path(__file__).parent / "data/screens"
LONG_STEP = "deps 2/4 RUN --mount=type=cache,target=/cache/npm npm ci --ignore-scripts --no-audit --no-fund"


def verify_healthy() -> None:
    running = CheckResult("running", True, 0, "up 3 s", "running")
    checks = [CheckResult(name, True, 9, "GET → 200") for name in ("page", "script", "proxy-reaches-api")]
    names = ("mongodb", "pose-service", "backend-api", "frontend", "mongo-express")
    services = tuple(make_result(make_container(name), running, *checks, name=name) for name in names)
    print_verify(VerifyReport(1.25, "cpu", services))


def verify_broken() -> None:
    evidence = "health check: connection refused\n/app/server.js:34\nSyntaxError: Unexpected token ';'"
    first = Diagnosis("restart-loop", "keeps crashing: exited with code 1", "invoke logs api", "", "api", evidence)
    other = Diagnosis("crashed", "is a one-shot job and failed: exited with code 2", "invoke logs job", service="job")
    api = make_result(
        make_container("api", status="restarting"),
        CheckResult("image", True, 0, "api:1", "image"),
        failed("running", "keeps crashing: restarted 7 times, exited with code 1 after a few seconds", link="running"),
        verdict=UNHEALTHY,
    )
    web = make_result(make_container("web"), failed("reach", "GET → 503", because_of="api"), name="web")
    print_verify(VerifyReport(1.5, "cpu", (api, web), (first, other)))


def status_stale() -> None:
    changed = Stale("source-changed", "src/app.py changed", "build", repair="invoke build web up web")
    states = {"web": Freshness((changed,), image="web"), "worker": Freshness((changed,), image="worker")}
    found = [
        ServiceStatus("db", "healthy", "mongo:6", True, 0.0, (), "mongodb://127.0.0.1:27017", "cpu"),
        *(
            ServiceStatus(name, "running", f"shop-{name}:latest", True, 0.0, (), "", "cpu", freshness=freshness)
            for name, freshness in states.items()
        ),
    ]
    print_status(found)


def build_one() -> None:
    steps = (
        StepRecord(step="deps 2/4 RUN x", is_cached=False, seconds=2.0),
        StepRecord(step="deps 3/4 RUN y", is_cached=True, seconds=0.0),
    )
    cause = "file-content: src/a/rather/long/path/of/a/file.py changed, src/b.py changed and 12 more"
    built = ImageRecord(image="web", action="built", seconds=2.0, steps=steps, cause=cause)
    fresh = (ImageRecord(image="base-node", action="fresh"), ImageRecord(image="api", action="fresh"))
    build_text.print_build(BuildRecord(seconds=3.0, images=(*fresh, built)))


def why_web() -> None:
    steps = (
        StepRecord(step=LONG_STEP, is_cached=True, seconds=0.0, place="web/Dockerfile:5"),
        StepRecord(
            step="runtime 3/4 COPY src src",
            is_cached=False,
            seconds=0.4,
            place="web/Dockerfile:9",
            cause=Cause("file-content", "src/app.py changed"),
        ),
    )
    build_text.print_why(Explanation("web", "file-content: src/app.py changed", 0.0, steps, "up to date"))


def doctor_findings() -> None:
    wrong = Finding(
        "port 5000",
        "error",
        "api needs it, but python3 (process 29368) holds it",
        "`kill 29368`, or choose another port: API_PORT in .env",
        "Two programs cannot listen on one port: the container will not start.",
        place="docker-compose.yml:14",
    )
    print_findings(Examination((wrong, ok("disk", "9 GB"), ok("engine", "28"))))


def up_result() -> None:
    services = (
        ServiceProgress("db", "ready", "healthy", 2.0),
        ServiceProgress("worker", "ready", "running (no health check)", 1.0),
        ServiceProgress("job", "ready", "finished", 1.0),
    )
    run_text.print_start(UpResult(3.5, services, ("db",)))
    run_text.print_addresses({"web": "http://127.0.0.1:8080", "db": "mongodb://127.0.0.1:27017"})


PRINTERS = (verify_healthy, verify_broken, status_stale, build_one, why_web, doctor_findings, up_result)


@pytest.mark.parametrize("show", PRINTERS, ids=lambda show: show.__name__)
def test_a_screen_is_as_it_was_read_last(
    show: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    show()
    both = capsys.readouterr()
    screen, path = both.out + both.err, SCREENS / f"{show.__name__}.txt"
    if os.environ.get("UPDATE_SCREENS"):
        path.write_text(screen)
    assert screen == path.read_text()
    assert len(screen.splitlines()) <= 24


@pytest.mark.parametrize("columns", [50, 80, 120])
@pytest.mark.parametrize("show", PRINTERS, ids=lambda show: show.__name__)
def test_nothing_is_wider_than_the_terminal(
    show: Callable[[], None], columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    # As on a terminal, where a whole sentence is wrapped, too.
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show()
    lines = capsys.readouterr().out.splitlines()
    plain = ["".join(part.partition("m")[2] for part in f"m{line}".split("\x1b[")) for line in lines]
    assert [line for line in plain if len(line) > columns] == []
