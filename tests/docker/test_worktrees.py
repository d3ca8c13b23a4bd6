"""Three worktrees of one repository, set up, built and running at once: nothing of one is another's but the base."""

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from ports import free_port
from typed import INVOKE

from layerstack import private_file
from layerstack.build.base_lock import FOLDER
from layerstack.cache import clean_up
from layerstack.cache.builder import read_builder
from layerstack.cache.room import StepCosts, remove_records
from layerstack.engine import images
from layerstack.engine.cache_records import read_cache
from layerstack.project import choices, project
from layerstack.run import stack
from layerstack.stacks.stacks import Stack, read_stacks
from layerstack.state_folder import shared_folder

pytestmark = pytest.mark.docker
NAME = f"layerstack-test-wt-{os.getpid()}"
VARIABLES = ("COMPOSE_PROJECT_NAME", "COMPOSE_FILE", "WEB_PORT", "DEVICE")
COMPOSE = """
name: NAME
services:
  web:
    build: web
    init: true
    stop_signal: SIGKILL
    ports: ["127.0.0.1:${WEB_PORT:-PORT}:8000"]
    volumes: ["data:/data"]
    healthcheck:
      test: ["CMD", "node", "-e", "fetch('http://127.0.0.1:8000/').catch(() => process.exit(1))"]
      interval: 30s
      start_period: 20s
      start_interval: 500ms
    x-layerstack: {verify: [{check: answers, http: /, contains: from}]}
volumes:
  data:
"""
BAKE = """
group "default" { targets = ["NAME-base", "web"] }
target "NAME-base" {
  context = "base"
  tags    = ["NAME-base:latest"]
  output  = ["type=docker"]
}
target "web" {
  contexts = { NAME-base = "target:NAME-base" }
  output   = ["type=docker"]
}
"""
# Never in the cache, slow enough that all three want it at once, and another one whenever it is built.
BASE = "FROM layerstack-test/node\nRUN : RUN_ID && sleep 4 && head -c 8 /dev/urandom | od -An -tx1 > /token\n"
WEB = 'FROM NAME-base\nCOPY web.js /srv/\nCMD ["node", "/srv/web.js"]\n'
SERVER = """
const token = require("node:fs").readFileSync("/token", "utf8").trim();
require("node:http").createServer((_, answer) => answer.end(`${token} from WHO`)).listen(8000);
"""


class Worktrees:
    """The main one and two linked ones, `one` and `two`; the servers in them say where they are from."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        self.port = free_port()
        self.run_id = uuid.uuid4().hex

    def make(self) -> None:
        files = {"compose.yaml": COMPOSE, "docker-bake.hcl": BAKE, "base/Dockerfile": BASE, "web/Dockerfile": WEB}
        main = self.place / "main"
        values = {"NAME": NAME, "PORT}": f"{self.port}}}", "RUN_ID": self.run_id}
        for name, text in {**files, "web/web.js": SERVER, ".gitignore": ".env\n"}.items():
            (main / name).parent.mkdir(parents=True, exist_ok=True)
            for word, value in values.items():
                text = text.replace(word, value)
            (main / name).write_text(text)
        identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
        for words in (("init", "--quiet"), ("add", "--all"), (*identity, "commit", "--quiet", "--message", "first")):
            self.git(*words)
        for name in ("one", "two"):
            self.git("worktree", "add", "--quiet", "-b", name, str(self.place / name))
        for name in ("main", "one", "two"):
            file = self.place / name / "web" / "web.js"
            file.write_text(file.read_text().replace("WHO", name))

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.place / "main", check=True, capture_output=True)

    def invoke(self, where: str, *words: str, **variables: str) -> subprocess.Popen[str]:
        argv = [*INVOKE, *words]
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environment = {**self.environment, **variables}
        return subprocess.Popen(argv, cwd=self.place / where, env=environment, text=True, **streams)

    def run(self, where: str, *words: str, **variables: str) -> tuple[int, str, str]:
        """(exit code, stdout, stderr) of a task."""
        process = self.invoke(where, *words, **variables)
        out, err = process.communicate()
        return process.returncode, out, err

    def answer(self, name: str) -> str:
        """What the server of a worktree says."""
        port = choices.read(self.place / name).get("WEB_PORT", str(self.port))
        return requests.get(f"http://127.0.0.1:{port}/", timeout=5).text

    def stacks(self) -> dict[str, Stack]:
        """Folder → its stack, of these worktrees only."""
        return {Path(one.folder).name: one for one in read_stacks() if one.name.startswith(NAME) and one.folder}


@pytest.fixture(scope="module")
def trees(node_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worktrees]:
    made = Worktrees(tmp_path_factory.mktemp("worktrees"))
    made.make()
    yield made
    for name in (NAME, f"{NAME}-one", f"{NAME}-two"):
        stack.down_stack(name, removes_volumes=True)
        images.remove([f"{name}-web:latest"])
    images.remove([f"{NAME}-base:latest"])


def wait_for_lock(folder: Path) -> None:
    """Until a build in that folder has the lock of its base."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        locks = (shared_folder() / FOLDER).glob("*.lock")
        if any(str(folder).encode() in private_file.read_lock(path) for path in locks):
            return
        time.sleep(0.05)
    pytest.fail("the build never took its lock")


@pytest.fixture(scope="module")
def started(trees: Worktrees) -> dict[str, dict[str, Any]]:
    """All three started at once, after a first build of one was killed while it had the lock of the base."""
    killed = trees.invoke("one", "start")
    wait_for_lock(trees.place / "one")
    killed.kill()
    killed.communicate()
    with ThreadPoolExecutor(3) as pool:
        ran = pool.map(lambda name: (name, trees.run(name, "start", "--json")), ("main", "one", "two"))
        outcomes = dict(ran)
    assert {name: code for name, (code, _, _) in outcomes.items()} == {"main": 0, "one": 0, "two": 0}, outcomes
    return {name: json.loads(out) for name, (_, out, _) in outcomes.items()}


def test_three_start_at_once_and_the_base_is_built_once(trees: Worktrees, started: dict[str, dict[str, Any]]) -> None:
    answers = {name: trees.answer(name) for name in started}
    assert {name: text.rpartition(" ")[2] for name, text in answers.items()} == {name: name for name in started}
    assert len({text.rpartition(" from ")[0] for text in answers.values()}) == 1
    steps = [
        step
        for document in started.values()
        for image in document["build"]["images"]
        if image["image"] == f"{NAME}-base"
        for step in image.get("steps", ())
        if not step["cached"] and "RUN" in step["step"]
    ]
    assert len(steps) <= 1


def test_each_has_its_own_name_and_ports(trees: Worktrees, started: dict[str, dict[str, Any]]) -> None:
    found = trees.stacks()
    assert {folder: one.name for folder, one in found.items()} == {
        "main": NAME,
        "one": f"{NAME}-one",
        "two": f"{NAME}-two",
    }
    assert len({port for one in found.values() for port in one.ports}) == 3
    assert {folder: one.branch for folder, one in found.items() if folder != "main"} == {"one": "one", "two": "two"}


def test_a_name_that_another_worktree_uses_is_refused(trees: Worktrees, started: dict[str, dict[str, Any]]) -> None:
    for task in ("up", "down", "start"):
        code, _, said = trees.run("one", task, COMPOSE_PROJECT_NAME=NAME, WEB_PORT=str(free_port()))
        assert code == 5, said
        assert str(trees.place / "main") in said
    assert trees.answer("main").endswith("from main")


def test_a_clean_of_one_keeps_the_base_of_the_others_and_knows_what_it_costs(
    trees: Worktrees, started: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    plan = clean_up.plan_clean(project.load(trees.place / "main", "cpu"), removes_all=True)
    tags = {tag for image in plan.images for tag in image.tags}
    assert f"{NAME}-web:latest" in tags
    assert f"{NAME}-base:latest" not in tags
    assert any(f"{NAME}-base:latest" in line for line in plan.kept)
    (slow,) = [record for record in read_cache().records if f": {trees.run_id} && sleep 4" in record.description]
    assert (StepCosts().of(slow) or 0.0) >= 4.0


def test_records_of_the_cache_are_removed_by_name_those_above_first(tmp_path: Path, node_image: str) -> None:
    mark = uuid.uuid4().hex
    (tmp_path / "Dockerfile").write_text(f"FROM {node_image}\nRUN : {mark} > /one\nRUN : {mark} > /two\n")
    argv = ["docker", "buildx", "build", "--output=type=cacheonly", str(tmp_path)]
    subprocess.run(argv, check=True, capture_output=True)
    own = [record.id for record in read_cache().records if mark in record.description]
    assert len(own) == 2
    remove_records(own, read_builder())
    assert mark not in str(read_cache())


def test_killing_one_and_ending_one_leaves_the_others(trees: Worktrees, started: dict[str, dict[str, Any]]) -> None:
    subprocess.run(["docker", "kill", "--signal", "KILL", f"{NAME}-one-web-1"], check=True, capture_output=True)
    code, _, said = trees.run("two", "down", "--volumes", "--yes")
    assert code == 0, said
    assert trees.answer("main").endswith("from main")
    assert set(trees.stacks()) == {"main", "one"}
    assert [volume.name for volume in stack.volumes_of(NAME)] == [f"{NAME}_data"]
    assert trees.run("one", "up")[0] == 0
    assert trees.answer("one").endswith("from one")


def test_a_dead_folder_is_ended_by_name_from_anywhere(
    trees: Worktrees, started: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    shutil.rmtree(trees.place / "one")
    assert trees.stacks()["one"].is_dead
    code, _, said = trees.run(str(tmp_path), "down", "--stack", f"{NAME}-one")
    assert code == 0, said
    assert set(trees.stacks()) == {"main"}
    assert trees.answer("main").endswith("from main")
