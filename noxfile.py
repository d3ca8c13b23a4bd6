"""Nox sessions: `nox --list`. `nox` alone runs all that this machine can run and says what it leaves out and why.

Every session uses the environment that nox itself runs in (requirements/dev.txt); what needs other versions runs
inside the stack's own images.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent))  # nox does not look beside its own file

from layerstack import build, engine, gpu, history, images, project, stack
from layerstack.building import lint
from layerstack.building.progress import PlainLog
from layerstack.errors import StackError
from layerstack.gpu import Decision
from layerstack.gpus import container_tests, gpu_services, lease
from layerstack.project import Device, Project
from layerstack.running import rehearsal
from layerstack.running.startup import ChangeLog
from layerstack.wording import duration, gibibytes

ROOT = Path(__file__).parent
PYTHON_FILES = ("layerstack", "tests", "benchmarks", "backend/pose-service", "tasks.py", "noxfile.py", "invocation.py")
PYTEST = (sys.executable, "-m", "pytest")
RUFF = (sys.executable, "-m", "ruff")
MYPY = (sys.executable, "-m", "mypy")
GPU_EXIT_CODE = 6

nox.options.default_venv_backend = "none"
for talkative in ("docker", "urllib3"):
    logging.getLogger(talkative).setLevel(logging.WARNING)


@nox.session(name="lint")
def lint_session(session: nox.Session) -> None:
    """ruff, mypy strict, BuildKit's Dockerfile checks, eslint."""
    session.run(*RUFF, "check", *PYTHON_FILES)
    session.run(*RUFF, "format", "--check", *PYTHON_FILES)
    session.run(*MYPY)
    loaded = _project(session, "gpu", "tests")
    warnings = lint.check_dockerfiles(loaded)
    for warning in warnings:
        session.warn(f"{warning.place}: {warning.rule}: {warning.detail}")
    if warnings:
        session.error(f"{len(warnings)} warnings in Dockerfiles")
    session.log(f"{len(loaded.images)} images: no Dockerfile warnings")
    for name in ("backend-api-test", "frontend-test"):
        tag = _built(session, "cpu", name)
        session.run("docker", "run", "--rm", tag, "npm", "run", "lint", external=True)


@nox.session(default=False)
def typecheck(session: nox.Session) -> None:
    """mypy strict alone (`lint` does it too)."""
    session.run(*MYPY)


@nox.session
def unit(session: nox.Session) -> None:
    """Fast tests of the library and the tasks; Docker is blocked."""
    session.run(*PYTEST, "tests/unit", *session.posargs)


@nox.session
def docker_tests(session: nox.Session) -> None:
    """The library against the real engine, in projects of its own."""
    _require_engine(session)
    session.run(*PYTEST, "tests/docker", *session.posargs)


@nox.session
def pose_tests(session: nox.Session) -> None:
    """Unit tests of the pose service inside the cached CPU image."""
    _require_engine(session)
    tag = _built(session, "cpu", "pose-service-test")
    session.run("docker", "run", "--rm", "--init", tag, external=True)


@nox.session
def gpu_tests(session: nox.Session) -> None:
    """The same in the GPU image on a leased card; `-- --require-gpu --gpu-memory 6g --wait 60`, the rest to pytest."""
    options, words = _gpu_options(session)
    is_required = options.require_gpu
    decision = _gpu_or_leave(session, is_required)
    session.log(decision.why)
    loaded = _project(session, "gpu", "tests")
    lacking = [image.tag for image in loaded.base_images if "pose" in image.name and not images.find(image.tag)]
    lacking = [tag for tag in lacking if tag.startswith("base-")]
    if lacking:
        _leave(session, is_required, f"{', '.join(lacking)} is not built; `invoke build-bases --device gpu` builds it")
    tag = _built(session, "gpu", "pose-service-test")
    run = _run_on_card(session, options, tag, words)
    _tell_run(session, run, decision)
    if run.ending == "gpu-missing":
        _leave(session, is_required, f"GPU missing: {run.detail}")
    if not run.is_ok:
        session.error(f"{run.ending.replace('-', ' ')}: {run.detail}")


@nox.session
def api_tests(session: nox.Session) -> None:
    """Tests of the API inside its image, against a real MongoDB with authentication."""
    _require_engine(session)
    tag = _built(session, "cpu", "backend-api-test")
    with rehearsal.rehearsal(_project(session, "cpu"), "api-tests") as copy:
        stack.up(copy, ChangeLog(session.log), ("mongodb",))
        url = copy.services["backend-api"].definition["environment"]["MONGO_URL"]
        network = ("--network", f"{copy.name}_default")
        session.run("docker", "run", "--rm", "--init", *network, "--env", f"MONGO_URL={url}", tag, external=True)


@nox.session
def web_tests(session: nox.Session) -> None:
    """Tests of the page inside its image."""
    _require_engine(session)
    session.run("docker", "run", "--rm", "--init", _built(session, "cpu", "frontend-test"), external=True)


@nox.session
def browser_tests(session: nox.Session) -> None:
    """Real Chromium against a whole stack of its own: upload a photo, see a skeleton, reload, still there."""
    _require_engine(session)
    loaded = _project(session, "cpu", "tests")
    tools = ("browser", "frontend-static")
    build.build(loaded, [*(image.name for image in loaded.service_images), *tools], PlainLog())
    with rehearsal.rehearsal(loaded, "browser-tests") as copy:
        stack.up(copy, ChangeLog(session.log))
        tags = {"BROWSER_IMAGE": loaded.image("browser").tag, "STATIC_IMAGE": loaded.image("frontend-static").tag}
        environment = {"WEB_URL": stack.addresses(copy)["frontend"], **tags}
        session.run(*PYTEST, "tests/browser", *session.posargs, env=environment)


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure against the old script, bare bake and Compose: writes docs/benchmarks.md; `-- --only NAME --runs N`."""
    _require_engine(session)
    session.run(sys.executable, "-m", "benchmarks.run", *session.posargs)


def _require_engine(session: nox.Session) -> None:
    """Without an engine a test of it cannot pass: that is a failure, not a skip."""
    try:
        engine.read_facts()
    except StackError as error:
        session.error(str(error))


def _project(session: nox.Session, device: Device, *groups: str) -> Project:
    try:
        return project.load(ROOT, device, groups)
    except StackError as error:
        session.error(str(error))


def _built(session: nox.Session, device: Device, name: str) -> str:
    """Build one test image, cached below the tests, and give its tag."""
    loaded = _project(session, device, "tests")
    try:
        build.build(loaded, [name], PlainLog())
    except StackError as error:
        session.error(str(error))
    return loaded.image(name).tag


def _gpu_or_leave(session: nox.Session, is_required: bool) -> Decision:
    try:
        return gpu.decide("gpu")
    except StackError as error:
        _leave(session, is_required, str(error))
        raise


def _gpu_options(session: nox.Session) -> tuple[argparse.Namespace, list[str]]:
    """The options of `gpu_tests`, and the words that go to pytest."""
    parser = argparse.ArgumentParser(prog="nox -s gpu_tests --", add_help=False, allow_abbrev=False)
    parser.add_argument("--require-gpu", action="store_true")
    parser.add_argument("--gpu-memory", default="")
    parser.add_argument("--wait", type=float, default=lease.TIMEOUT_SECONDS)
    return parser.parse_known_args(session.posargs)


def _run_on_card(
    session: nox.Session, options: argparse.Namespace, tag: str, words: Sequence[str]
) -> container_tests.ContainerTests:
    """Hold a whole card, or as much as was asked for, while the tests run; others wait as long."""
    try:
        wanted = lease.Wanted("gpu_tests", gpu_services.parse_size("--gpu-memory", options.gpu_memory))
        with lease.hold(wanted, options.wait, session.log) as held:
            session.log(f"leased {wanted.words} of {held.card.name} ({held.card.uuid})")
            run = container_tests.run_tests(tag, held, _print_line, words)
    except StackError as error:
        if options.require_gpu and error.exit_code == GPU_EXIT_CODE:
            _leave(session, True, str(error))
        session.error(str(error))
    history.append(ROOT, "gpu_tests", run.to_json())
    return run


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _tell_run(session: nox.Session, run: container_tests.ContainerTests, decision: Decision) -> None:
    driver = decision.host.driver if decision.host else "unknown"
    session.log(
        f"{run.card}, driver {driver}: {run.ending.replace('-', ' ')}, peak {gibibytes(run.peak_bytes)}, "
        f"{duration(run.seconds)}"
    )
    for file in run.files:
        counts = f"{file.passed} passed, {file.failed} failed, {file.skipped} skipped"
        session.log(f"  {file.file}: {counts}, {duration(file.seconds)}, peak {gibibytes(file.peak_bytes)}")


def _leave(session: nox.Session, is_required: bool, reason: str) -> None:
    """Skip with the reason; when a GPU is demanded, end nox with exit code 6 instead."""
    if is_required:
        session.warn(reason)
        raise SystemExit(GPU_EXIT_CODE)
    session.skip(reason.rstrip("."))
