"""The system images of this machine, official or stand-ins, do what Dockerfiles and Compose file ask of them."""

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from layerstack.engine import engine
from layerstack.project import choices
from layerstack.setup import system_images
from layerstack.wait import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.long]

ROOT = Path(__file__).parents[2]
PASSWORD = "p@ss w'ord"
# A first start of mongod takes a busy machine a minute.
READY_SECONDS = 180.0
# Docker kills after ten what does not end.
STOP_SECONDS = 8.0
Start = Callable[..., Any]


@pytest.fixture(scope="session")
def images() -> dict[str, system_images.SystemImage]:
    """The prepared system images by variable; fails when one cannot be had."""
    return {image.variable: image for image in system_images.prepare(ROOT, False, "cpu", print)}


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Start containers that are removed with their volumes at the end."""
    docker = engine.client()
    network = docker.networks.create(f"layerstack-test-{uuid.uuid4().hex[:8]}")
    started: list[Any] = []

    def run(image: str, *command: str, **options: Any) -> Any:
        options = {"init": True, "network": network.name, "security_opt": ["no-new-privileges:true"], **options}
        started.append(docker.containers.run(image, command or None, detach=True, **options))
        return started[-1]

    yield run
    for container in started:
        container.remove(force=True, v=True)
    network.remove()


@pytest.fixture(scope="module")
def new_mongo(
    images: dict[str, system_images.SystemImage], start: Start, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Any]:
    """Start a MongoDB with a root user and two initial scripts."""
    scripts = tmp_path_factory.mktemp("scripts")
    scripts.chmod(0o755)
    (scripts / "seed.js").write_text('db.getSiblingDB("app").things.insertOne({ from: "js" });\n')
    (scripts / "seed.sh").write_text("mongosh --quiet app --eval 'db.things.insertOne({ from: \"sh\" })'\n")

    def run() -> Any:
        environment = {"MONGO_INITDB_ROOT_USERNAME": "admin", "MONGO_INITDB_ROOT_PASSWORD": PASSWORD}
        volumes = [f"{scripts}:/docker-entrypoint-initdb.d:ro"]
        name = f"layerstack-test-mongo-{uuid.uuid4().hex[:8]}"
        return start(images["MONGO_IMAGE"].reference, environment=environment, volumes=volumes, name=name)

    return run


@pytest.fixture(scope="module")
def mongo(new_mongo: Callable[[], Any]) -> Any:
    """A MongoDB that serves: its first start takes many seconds of a processor."""
    container = new_mongo()
    assert wait_until(lambda: is_serving(container), READY_SECONDS)
    return container


def count_things(container: Any, *login: str) -> int | None:
    """The number of documents that the initial scripts left, None without an answer."""
    program = ("mongosh", "--quiet", *login, "--eval", 'db.getSiblingDB("app").things.countDocuments()')
    code, output = container.exec_run(list(program))
    text = output.decode().strip()
    return int(text) if code == 0 and text.isdigit() else None


def is_serving(container: Any) -> bool:
    """Whether the final mongod runs (not the one of the first start) and answers."""
    processes = container.top()["Processes"]
    final = any("--auth" in " ".join(process) for process in processes)
    return final and count_things(container, "-u", "admin", "-p", PASSWORD) is not None


def stop(container: Any) -> float:
    """Stop a container and return the seconds it took."""
    began = time.monotonic()
    container.stop(timeout=10)
    return time.monotonic() - began


def test_every_image_is_here_and_says_what_it_is(images: dict[str, system_images.SystemImage]) -> None:
    assert {"NODE_IMAGE", "PYTHON_IMAGE", "MONGO_IMAGE", "MONGO_EXPRESS_IMAGE"} <= images.keys()
    for image in images.values():
        assert image.image_id.startswith("sha256:")
        assert not image.official.startswith("stand-in/")
        # A stand-in may have been given the official name.
        assert image.is_stand_in or image.reference == image.official


def test_a_prepared_machine_is_checked_in_half_a_second(images: dict[str, system_images.SystemImage]) -> None:
    def is_quick() -> bool:
        began = time.monotonic()
        system_images.prepare(ROOT, False, "cpu", print)
        return time.monotonic() - began < 0.5

    # What is slow by itself is slow every time; a busy machine has its moments.
    assert wait_until(is_quick, READY_SECONDS)


def test_node_18_with_npm_10(images: dict[str, system_images.SystemImage], start: Start) -> None:
    container = start(images["NODE_IMAGE"].reference, "sh", "-c", "node --version && npm --version && npx --version")
    assert container.wait()["StatusCode"] == 0
    node, npm, npx = container.logs().decode().split()
    assert node.startswith("v18.")
    assert npm.split(".")[0] == npx.split(".")[0] == "10"


def test_python_3_9_makes_environments(images: dict[str, system_images.SystemImage], start: Start) -> None:
    script = "python --version && pip --version && python -m venv /tmp/e && /tmp/e/bin/python -c 'import ssl, sqlite3'"
    container = start(images["PYTHON_IMAGE"].reference, "sh", "-c", script)
    assert container.wait()["StatusCode"] == 0, container.logs().decode()
    assert container.logs().decode().startswith("Python 3.9.")


def test_mongo_makes_its_user_and_runs_the_scripts_once(mongo: Any) -> None:
    assert count_things(mongo, "-u", "admin", "-p", PASSWORD) == 2
    assert count_things(mongo) is None
    assert count_things(mongo, "-u", "admin", "-p", "wrong") is None
    assert stop(mongo) < STOP_SECONDS
    mongo.start()
    assert wait_until(lambda: is_serving(mongo), READY_SECONDS)
    assert count_things(mongo, "-u", "admin", "-p", PASSWORD) == 2


def test_mongod_does_not_run_as_root(mongo: Any) -> None:
    users = {
        process[0] for process in mongo.top()["Processes"] if "mongod" in process[-1] and "init" not in process[-1]
    }
    assert users
    assert not users & {"root", "0"}


def test_a_stand_in_recovers_from_an_interrupted_first_start(
    images: dict[str, system_images.SystemImage], new_mongo: Callable[[], Any]
) -> None:
    if not images["MONGO_IMAGE"].is_stand_in:
        pytest.skip("the official image does not promise this")
    container = new_mongo()
    time.sleep(0.4)
    container.kill()
    container.start()
    assert wait_until(lambda: is_serving(container), READY_SECONDS)
    assert (count_things(container, "-u", "admin", "-p", PASSWORD) or 0) >= 2


def test_mongo_express_asks_for_its_password_and_shows_the_database(
    images: dict[str, system_images.SystemImage], mongo: Any, start: Start
) -> None:
    page = start(
        images["MONGO_EXPRESS_IMAGE"].reference,
        environment={
            "ME_CONFIG_MONGODB_URL": f"mongodb://admin:p%40ss%20w%27ord@{mongo.name}:27017/",
            "ME_CONFIG_BASICAUTH": "true",
            "ME_CONFIG_BASICAUTH_USERNAME": "someone",
            "ME_CONFIG_BASICAUTH_PASSWORD": "secret",
        },
    )

    def fetch(login: str) -> str:
        asked = ["wget", "-q", "-O", "-", f"http://{login}127.0.0.1:8081/"]
        code, output = page.exec_run(asked)
        return output.decode() if code == 0 else ""

    assert wait_until(lambda: "/db/app/" in fetch("someone:secret@"), READY_SECONDS)
    assert not fetch("")
    assert not fetch("someone:wrong@")
    assert stop(page) < STOP_SECONDS


def test_choices_reach_plain_bake_and_plain_compose(tmp_path: Path) -> None:
    for name in ("docker-bake.hcl", "docker-compose.yml", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    choices.remember(tmp_path, {"NODE_IMAGE": "chosen-node", "MONGO_IMAGE": "chosen-mongo", "DEVICE": "cpu"})

    def ask(*argv: str, **environment: str) -> dict[str, Any]:
        clean = {name: value for name, value in os.environ.items() if not name.endswith("_IMAGE")}
        clean = {name: value for name, value in clean.items() if name not in {"DEVICE", "COMPOSE_FILE"}}
        answer = subprocess.run(argv, cwd=tmp_path, env={**clean, **environment}, capture_output=True, check=True)
        found: dict[str, Any] = json.loads(answer.stdout)
        return found

    bake = ("docker", "buildx", "bake", "--print", "base-node", "pose-service")
    compose = ("docker", "compose", "config", "--format", "json")
    targets = ask(*bake)["target"]
    assert targets["base-node"]["args"]["NODE_IMAGE"] == "chosen-node"
    assert "base-python-pose-cpu" in targets
    assert ask(*compose)["services"]["mongodb"]["image"] == "chosen-mongo"
    overridden = {"NODE_IMAGE": "other", "MONGO_IMAGE": "other"}
    assert ask(*bake, **overridden)["target"]["base-node"]["args"]["NODE_IMAGE"] == "other"
    assert ask(*compose, **overridden)["services"]["mongodb"]["image"] == "other"
