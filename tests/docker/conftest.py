"""Small Compose projects on the real engine, each under a name of its own and gone afterwards."""

import contextlib
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import ports
import pytest
from build_turns import make_config
from layers import system_image
from mutations import Bench, causes, mutations
from own_engine import OwnEngine, own_engine
from second_machine import SYSTEM_IMAGE, make_system_image

import docker
from layerstack.engine import engine
from layerstack.errors import EngineError
from layerstack.project import choices, project
from layerstack.project.project import Project
from layerstack.run.rehearsal import remove_all

PROJECTS = Path(__file__).parent / "projects"
ROOT = Path(__file__).parents[2]
NODE_IMAGE = "layerstack-test/node"
OFFICIAL_NODE_IMAGE = "node:18-alpine"

LoadProject = Callable[..., Project]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: what begins last is short then, and no worker has much to do alone."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session", autouse=True)
def builds_take_turns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Between the workers of one run."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    config = make_config(tmp_path_factory.mktemp("docker"), tmp_path_factory.getbasetemp().parent / "build.lock")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_CONFIG", str(config))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_pose_engine() -> Iterator[None]:
    """Each engine process takes a second of a processor to start, and the pose service is started often here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSE_ENGINES", "1")
        yield


@pytest.fixture(scope="session")
def engine_client() -> Any:
    """A client for the engine; without one these tests fail, they are not skipped."""
    return engine.client()


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Builds that take a tag over leave untagged images: those of this run go when all its workers are done."""
    if hasattr(session.config, "workerinput"):
        return (yield)
    before = untagged()
    try:
        return (yield)
    finally:
        for image in untagged() - before:
            with contextlib.suppress(docker.errors.APIError):
                engine.client().images.remove(image)


def untagged() -> set[str]:
    """Ids; none without an engine, which is for the tests to say."""
    try:
        # Without asking for each of them: somebody else may remove one meanwhile.
        return {image["Id"] for image in engine.client().api.images(filters={"dangling": True})}
    except EngineError:
        return set()


@pytest.fixture(scope="session")
def node_image(engine_client: Any) -> str:
    """This machine's system image of Node under a tag of the tests; `invoke setup` provides it.

    The tag stays: another session of these tests may be using it, and it is but one more name of an image.
    """
    source = os.environ.get("NODE_IMAGE") or choices.read(ROOT).get("NODE_IMAGE") or OFFICIAL_NODE_IMAGE
    engine_client.images.get(source).tag(NODE_IMAGE)
    return NODE_IMAGE


@pytest.fixture(scope="module")
def build_engine(engine_client: Any) -> Iterator[OwnEngine]:
    """An engine of a file's own, in use: nobody else fills or empties its cache, and no build waits for its turn."""
    with own_engine() as found, pytest.MonkeyPatch.context() as patch:
        source = system_image()
        patch.setenv("DOCKER_HOST", found.host)
        patch.delenv("DOCKER_CONFIG", raising=False)
        patch.setenv("NODE_IMAGE", SYSTEM_IMAGE)
        if shutil.which("apt-get"):
            make_system_image()
        else:
            found.take(engine_client, source, SYSTEM_IMAGE)
        yield found


@pytest.fixture(scope="module")
def built(build_engine: OwnEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Path]]:
    """The project `mutations`, built once for a file, and a copy of its files."""
    folder = tmp_path_factory.mktemp("mutations")
    with pytest.MonkeyPatch.context() as patch, mutations(folder, patch) as bench:
        first = causes(bench.build())
        assert (len(first), set(first.values())) == (16, {"first-build"})
        shutil.copytree(bench.root, folder / "kept")
        yield bench, folder / "kept"


@pytest.fixture
def bench(built: tuple[Bench, Path]) -> Iterator[Bench]:
    """The project as it was built first; every edit is undone and forgotten."""
    bench, kept = built
    with pytest.MonkeyPatch.context() as patch:
        yield Bench(bench.root, patch)
    for path in bench.root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(kept, bench.root, dirs_exist_ok=True)
    bench.build()


@pytest.fixture
def free_port() -> int:
    return ports.free_port()


@pytest.fixture
def load_project(node_image: str, free_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoadProject]:
    """`load_project(NAME, VARIABLE=value)` reads tests/docker/projects/NAME; afterwards nothing of it is left."""
    loaded: list[Project] = []

    def load(name: str, **variables: object) -> Project:
        monkeypatch.setenv("COMPOSE_PROJECT_NAME", f"layerstack-test-{name}-{os.getpid()}")
        monkeypatch.setenv("TEST_PORT", str(free_port))
        for variable, value in variables.items():
            monkeypatch.setenv(variable, str(value))
        found = project.load(PROJECTS / name, "gpu")
        loaded.append(found)
        remove_all(found.name)
        return found

    yield load
    for one in loaded:
        remove_all(one.name)
