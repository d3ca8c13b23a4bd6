"""What a terminal of 80 columns shows, whole: the one place where sentences are asserted.

`UPDATE_SCREENS=1 pytest tests/unit/test_screens.py` writes what is printed now; read the difference before it is kept.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cache_parts
import pytest
from verify_parts import UNHEALTHY, failed, make_container, make_result

from layerstack.build import text as build_text
from layerstack.build.buildlog import Step
from layerstack.build.record import BuildRecord, Cause, ImageRecord, StepRecord
from layerstack.build.why import Explanation
from layerstack.cache.cache_forecast import Forecast
from layerstack.cache.cache_report import CachedImage, CacheReport, Group
from layerstack.cache.cached_steps import CachedStep
from layerstack.cache.text import print_cache
from layerstack.dockerfile.recipe_stage import RecipeLine
from layerstack.doctor.doctor import Examination
from layerstack.doctor.doctor_text import print_findings
from layerstack.engine.cache_records import CacheUse
from layerstack.engine.container import Container
from layerstack.engine.images import Layer, StoredImage
from layerstack.engine.text import print_images
from layerstack.finding import Finding, ok, warning
from layerstack.gpu.card_lock import Holder
from layerstack.gpu.decision import Decision
from layerstack.gpu.gpu_in_container import ContainerGpu
from layerstack.gpu.gpu_probe import DockerGpu
from layerstack.gpu.gpu_survey import Survey
from layerstack.gpu.nvml import Gpu, GpuProcess, HostGpus, MigInstance, cards_of
from layerstack.gpu.text import print_gpu
from layerstack.project.project import Port
from layerstack.rebuild.text import print_rebuilds
from layerstack.rebuild.timed import Rebuild, Run
from layerstack.run import text as run_text
from layerstack.run.startup import ServiceProgress, UpResult
from layerstack.share.share import Share, SharedImages
from layerstack.share.text import print_shared
from layerstack.stacks.stacks import Stack
from layerstack.stacks.text import print_stacks
from layerstack.status.freshness import Freshness
from layerstack.status.staleness import Stale
from layerstack.status.status import ServiceStatus
from layerstack.status.status_text import print_status
from layerstack.verify.checks import CheckResult
from layerstack.verify.diagnosis import Diagnosis
from layerstack.verify.verify import VerifyReport
from layerstack.verify.verify_text import print_verify

SCREENS = Path(__file__).parent / "data/screens"
GIB = 2**30
# Would vanish, or break the printing, if it were read as markup.
ODD = "RUN grep [a-z] [/bin/sh] x [red] :smile:"
DOUBTFUL = Examination((ok("engine", "28 [x]"), ok("disk", "9 GB")), (warning("registry", "silent [one]", ""),))
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
    """What holds for several services is said once."""
    changed = Stale("source-changed", "src/app.py changed", "build")
    odd = Stale("definition-changed", "environment [red] changed", "recreate")
    doubtful = Stale("not-reloaded", "app.py was written", "restart", is_certain=False)
    states = {
        "web": Freshness((odd, changed), image="web"),
        "worker": Freshness((doubtful,), image="worker"),
        "api": Freshness((doubtful,), notes=("[bold] is mounted",)),
        "model": Freshness((), ("what its image is made of",)),
    }
    db = ServiceStatus("db", "healthy", "mongo:6", True, 0.0, (), "mongodb://127.0.0.1:27017", "cpu")
    print_status([db, *(service_status(name, "running", found) for name, found in states.items())])


def status_absent() -> None:
    absent = Freshness((Stale("not-running", "it has no container", "recreate"),))
    print_status([service_status(name, "absent", absent) for name in ("web", "api")])


def service_status(name: str, state: str, freshness: Freshness) -> ServiceStatus:
    return ServiceStatus(name, state, f"shop-{name}:latest", True, 0.0, (), "", "cpu", freshness=freshness)


def build_one() -> None:
    steps = (
        StepRecord(step="deps 2/4 RUN x", is_cached=False, seconds=2.0),
        StepRecord(step="deps 3/4 RUN y", is_cached=True, seconds=0.0),
    )
    cause = "file-content: src/a/rather/long/path/of/a/file.py changed, src/b.py changed and 12 more"
    built = ImageRecord(image="web", action="built", seconds=2.0, steps=steps, cause=cause)
    fresh = (ImageRecord(image="base-node", action="fresh"), ImageRecord(image="api", action="fresh"))
    build_text.print_build(BuildRecord(seconds=3.0, images=(*fresh, built)))


def build_many_causes() -> None:
    """The whole list of causes is somewhere else, and one line says where."""
    cause = "; ".join(f"file-mode: src/{number}.py 0644 → 0664" for number in range(20))
    causes = {"api": cause, "web": cause, "job": ODD}
    built = tuple(ImageRecord(image=name, action="built", cause=causes[name]) for name in causes)
    build_text.print_build(BuildRecord(seconds=3.0, images=built))


def build_nothing() -> None:
    """What was kept is told from what is fresh; nothing is on stdout."""
    images = {"base": "fresh", "web": "fresh", "low": "kept"}
    build_text.print_build(BuildRecord(images=tuple(ImageRecord(image=one, action=images[one]) for one in images)))


def rebuilds() -> None:
    step = Step("web", "runtime", 2, 2, "COPY . .", is_cached=False, seconds=0.2, place="web/Dockerfile:9")
    runs = (Run(1.25, 0.1, 0.2, 0.3, (), (step,), found, "sha256:1") for found in ((), (ODD,)))
    print_rebuilds([Rebuild("web", "src/a.py", (run,), 30.0, True, True) for run in runs])


def images_of_the_stack() -> None:
    stored = StoredImage("sha256:1", (), 12_000_000, "", {}, ())
    layers = [
        Layer("base", "base:latest", stored, "node:18", "from the registry"),
        Layer("service", "web:latest", None),
    ]
    print_images(layers)


def cache_at_risk() -> None:
    """Steps and groups under 1 MB are left out; of those that are lost, only layers count."""
    sizes = {"held": 12_000_000, "tiny": 900_000}
    held, tiny = (cache_parts.record(name, size=size, last_used="") for name, size in sizes.items())
    kept = ((True, held), (True, None), (False, None), (True, tiny), (False, held))
    steps = tuple(CachedStep("deps", RecipeLine("RUN", "x [red]", 7), layer, record) for layer, record in kept)
    image = CachedImage("base", "base:latest", True, steps, Forecast("at-risk", "little room [x]"), frozenset({"held"}))
    groups = (Group("cache mount", "/cache/[x]", (held,)), Group("cache mount", "/tiny", (tiny,)))
    print_cache(CacheReport(CacheUse((held,)), cache_parts.builder(), (image,), groups, 5_000_000, "{keep}"))


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
    odd = warning("disk", ODD, "free [some]", place="file.yml:3")
    print_findings(Examination((wrong, odd, ok("disk", "9 GB"), ok("engine", "28"))))


def doctor_fine() -> None:
    print_findings(DOUBTFUL)


def doctor_all() -> None:
    print_findings(DOUBTFUL, shows_all=True)


def gpu_lost() -> None:
    processes = (GpuProcess(41, 4 * GIB), GpuProcess(42, None))
    first = Gpu(0, "NVIDIA [A10]", "GPU-0", 24 * GIB, 20 * GIB, "8.6", processes)
    parts = (MigInstance("MIG-1", "1g.5gb", 5 * GIB, 5 * GIB),)
    second = Gpu(1, "NVIDIA A100", "GPU-1", None, None, "", has_mig=True, instances=parts)
    third = Gpu(2, "card 2", "", None, None, "", problem="GPU is lost")
    host = HostGpus("550.1", (first, second, third))
    lost = ContainerGpu("model", "p-model-1", (), "Unknown Error", is_lost=True)
    seeing = ContainerGpu("other", "p-other-1", ("GPU-0",))
    works = DockerGpu(True, "a container gets a GPU")
    decision = Decision("gpu", "because", host, works, "lost-after-daemon-reload", "`repair it`", (lost, seeing))
    lease = Holder("training", "ann", 77, 6 * GIB, datetime(2026, 11, 28, 1).timestamp())
    print_gpu(Survey(decision, ((cards_of(host)[0], lease),)))


def gpu_none() -> None:
    """Without a remedy there is no empty line."""
    print_gpu(Survey(Decision("cpu", "no card", None, DockerGpu(False, "not asked", "not asked"), "no-card")))


def shared_images() -> None:
    shares = (
        Share("base", "pushed", "h:1/team/base:1", seconds=3.0),
        Share("node:18", "there", "h:1/team/node:18", "may be another image [x]"),
        Share("low", "skipped", "", "is not fresh"),
        Share("high", "failed", "", "the registry h:1 is read-only"),
    )
    print_shared(SharedImages("h:1/team", False, shares))


def stacks_of_the_engine() -> None:
    running = Container("1", "c", "web", "running", "", ports=(Port("", 80, 80), Port("", 5, 5)), has_gpu=True)
    shop = Stack("shop", "/home/ann/shop", True, "main", (running, replace(running, status="exited")), 4_330_000)
    print_stacks((shop, Stack("dead", "/home/ann/gone", False, "", (running,)), Stack("left", disk_bytes=300_000_000)))


def up_result() -> None:
    services = (
        ServiceProgress("db", "ready", "healthy", 2.0),
        ServiceProgress("worker", "ready", "running (no health check)", 1.0),
        ServiceProgress("job", "ready", "finished", 1.0),
    )
    run_text.print_start(UpResult(3.5, services, ("db",)))
    run_text.print_addresses({"web": "http://127.0.0.1:8080", "db": "mongodb://127.0.0.1:27017"})


PRINTERS = (
    *(verify_healthy, verify_broken, status_stale, status_absent, up_result, stacks_of_the_engine),
    *(build_one, build_many_causes, build_nothing, why_web, rebuilds, images_of_the_stack, cache_at_risk),
    *(doctor_findings, doctor_fine, doctor_all, gpu_lost, gpu_none, shared_images),
)


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
