"""Every way in which a service gets out of date is named, and the command that status gives ends it."""

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from layers import layers, system_image
from typed import invoke, repair

from layerstack import command
from layerstack.build import build as builder
from layerstack.build.build import BuildOptions
from layerstack.build.progress import BuildObserver
from layerstack.engine import engine
from layerstack.engine.image_tree import LOOK_LABEL
from layerstack.owner import own_mark
from layerstack.project import project
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.startup import Silent
from layerstack.state_folder import shared_folder
from layerstack.status import anonymous_volume, status
from layerstack.status.staleness import Stale
from layerstack.wait import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.long]
PROJECT = Path(__file__).parent / "projects" / "stale"


class Stack:
    """The running project in a folder of the test's own."""

    def __init__(self, own: Project, client: Any) -> None:
        self.own = own
        self.root = own.root
        self.client = client

    def read(self) -> list[status.ServiceStatus]:
        return status.read_status(project.load(self.root, "gpu"))

    def one(self, service: str) -> status.ServiceStatus:
        (found,) = [one for one in self.read() if one.service == service]
        return found

    def stale(self, service: str) -> tuple[Stale, ...]:
        return self.one(service).freshness.stale

    def all_stale(self) -> dict[str, set[str]]:
        """Service → kinds, for those where something is stale."""
        found = {one.service: {stale.kind for stale in one.freshness.stale} for one in self.read()}
        return {service: kinds for service, kinds in found.items() if kinds}

    def container(self, service: str) -> Any:
        return self.client.containers.get(f"{self.own.name}-{service}-1")

    def inside(self, service: str, *words: str) -> str:
        return str(self.container(service).exec_run(list(words)).output.decode())

    def repair(self, service: str) -> None:
        """Run the one command that status gives for a service, as it stands there."""
        found = self.one(service)
        assert found.freshness.stale, found
        (line,) = {stale.repair for stale in found.freshness.stale}
        repair(self.root, line)

    def build(self, *names: str, is_forced: bool = False) -> None:
        found = project.load(self.root, "gpu")
        builder.build(found, names, BuildObserver(), BuildOptions(is_forced=is_forced))

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)


@contextmanager
def started(folder: Path) -> Iterator[Stack]:
    """Everything built and up to date."""
    client = engine.client()
    cache = f"layerstack-test/stale-cache:{os.getpid()}-{uuid.uuid4().hex[:8]}"
    client.images.get(system_image()).tag(cache)
    try:
        with pytest.MonkeyPatch.context() as patch, layers(folder, patch, PROJECT, CACHE_IMAGE=cache) as own:
            found = Stack(own, client)
            found.build("web", "api")
            stack.up(own, Silent())
            assert found.all_stale() == {}
            yield found
    finally:
        command.run(["docker", "image", "rm", "--force", cache])


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Stack]:
    """A stack for one test: a base that was built twice from the same files would be the one or the other later."""
    with started(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Path]]:
    """The stack of all other tests, and a copy of its files."""
    folder = tmp_path_factory.mktemp("status")
    with started(folder) as found:
        shutil.copytree(found.root, folder / "kept")
        yield found, folder / "kept"


@pytest.fixture
def running(shared: tuple[Stack, Path]) -> Iterator[Stack]:
    """Everything up to date; afterwards files, images and containers are as they were."""
    found, kept = shared
    # A program that has not read its source yet would end where a test takes that away.
    assert wait_until(lambda: b"started" in found.container("api").logs(), 60)
    assert found.all_stale() == {}
    yield found
    shutil.rmtree(found.root)
    shutil.copytree(kept, found.root)
    found.build("web", "api")
    anew = ("up", "--detach", "--no-build", "--force-recreate", "--renew-anon-volumes", "--timeout", "0")
    command.run(found.own.compose(*anew), cwd=found.root, env=found.own.environment).require()


def bake(running: Stack, *names: str) -> None:
    """Build without layerstack."""
    command.run(("docker", "buildx", "bake", *names), cwd=running.root, env=running.own.environment).require()


def replace_by_rename(path: Path, text: str) -> None:
    """Write a file as many editors do: a new one that takes the old one's name."""
    path.with_name("new").write_text(text)
    path.with_name("new").rename(path)


def test_what_is_up_to_date_is_called_so(running: Stack) -> None:
    found = running.read()
    assert status.document(found)["ok"] is True
    assert status.summary(found) == "everything runs your code"
    inputs = {one.service: one.freshness.inputs for one in found}
    assert inputs["web"].now.startswith("sha256:")
    assert inputs["web"].image == inputs["web"].container == inputs["web"].now == inputs["worker"].now
    assert inputs["cache"].now == ""


def test_a_touched_file_is_no_change(running: Stack) -> None:
    for path in sorted(running.root.rglob("*")):
        if path.suffix not in (".js",) or "src" not in path.parts:
            os.utime(path)
    assert running.all_stale() == {}


def test_1_the_image_was_rebuilt_and_the_container_is_of_the_old_one(running: Stack) -> None:
    running.write("web/server.js", "setInterval(() => console.log('new'), 60000)\n")
    running.build("web")
    assert running.all_stale() == {"web": {"old-image"}, "worker": {"old-image"}}
    running.repair("web")
    running.repair("worker")
    assert running.all_stale() == {}
    assert "new" in running.inside("web", "cat", "server.js")


def test_2_the_source_changed_since_the_image_was_built(running: Stack) -> None:
    running.write("web/server.js", "setInterval(() => console.log('new'), 60000)\n")
    assert running.all_stale() == {"web": {"source-changed"}, "worker": {"source-changed"}}
    assert "web/server.js" in running.stale("web")[0].detail
    running.repair("web")
    # The worker runs the same image: it is there now, and only its container is of before.
    assert running.all_stale() == {"worker": {"old-image"}}
    assert "new" in running.inside("web", "cat", "server.js")


def test_2_source_that_was_changed_back_is_no_change(running: Stack) -> None:
    before = (running.root / "web/server.js").read_text()
    running.write("web/server.js", "setInterval(() => console.log('new'), 60000)\n")
    running.build("web")
    running.write("web/server.js", before)
    assert running.all_stale() == {}
    (note,) = next(one.freshness.notes for one in running.read() if one.service == "web")
    assert "invoke build web" in note


def test_2_without_a_record_the_container_is_asked(running: Stack) -> None:
    shutil.rmtree(shared_folder() / "images")
    running.write("web/server.js", "setInterval(() => console.log('new'), 60000)\n")
    (stale,) = running.stale("web")
    assert (stale.kind, stale.is_certain) == ("source-changed", True)
    assert "web/server.js" in stale.detail
    assert "worker.js" not in stale.detail
    running.repair("web")
    assert running.stale("web") == ()


def test_2_the_dockerfile_changed(running: Stack) -> None:
    with (running.root / "web/Dockerfile").open("a") as file:
        file.write('ENV COLOUR="blue"\n')
    assert running.all_stale()["web"] == {"recipe-changed"}
    assert "COLOUR" in running.stale("web")[0].detail
    running.repair("web")
    assert "web" not in running.all_stale()
    assert "COLOUR=blue" in running.inside("web", "env")


def test_3_the_base_is_behind_its_folder(running: Stack) -> None:
    running.write("base/tools", "better tools\n")
    assert running.all_stale() == {name: {"base-behind"} for name in ("web", "worker", "api")}
    assert "base/tools" in running.stale("web")[0].detail
    running.repair("web")
    running.repair("api")
    running.repair("worker")
    assert running.all_stale() == {}
    assert running.inside("web", "cat", "/opt/tools") == "better tools\n"


def test_3_the_base_was_rebuilt_after_the_service(alone: Stack) -> None:
    alone.build("base", is_forced=True)
    made = alone.inside("web", "cat", "/opt/made")
    assert alone.all_stale() == {name: {"base-rebuilt"} for name in ("web", "worker", "api")}
    for service in ("web", "api", "worker"):
        alone.repair(service)
    assert alone.all_stale() == {}
    assert alone.inside("web", "cat", "/opt/made") != made


def test_3_the_base_was_built_by_hand_from_something_else(running: Stack) -> None:
    running.write("base/tools", "other tools\n")
    bake(running, "base")
    running.write("base/tools", "tools\n")
    assert running.all_stale() == {name: {"base-rebuilt"} for name in ("web", "worker", "api")}
    running.repair("web")
    assert running.all_stale() == {}
    assert running.inside("web", "cat", "/opt/tools") == "tools\n"


def test_4_the_definition_changed(running: Stack) -> None:
    path = running.root / "compose.yaml"
    path.write_text(path.read_text().replace('command: ["sleep", "600"]', 'command: ["sleep", "500"]'))
    assert running.all_stale() == {"cache": {"definition-changed"}}
    assert running.stale("cache")[0].detail.endswith(": command")
    running.repair("cache")
    assert running.all_stale() == {}
    assert "500" in running.inside("cache", "cat", "/proc/1/cmdline")


def test_4_a_variable_changed_in_the_env_file(running: Stack) -> None:
    running.write(".env", "GREETING=welcome\n")
    assert running.all_stale() == {"web": {"definition-changed"}}
    assert "environment GREETING" in running.stale("web")[0].detail
    running.repair("web")
    assert running.all_stale() == {}
    assert "GREETING=welcome" in running.inside("web", "env")


def test_5_an_editor_replaced_a_mounted_file(running: Stack) -> None:
    replace_by_rename(running.root / "api/settings.txt", "colour = red\n")
    assert running.inside("api", "cat", "settings.txt") == "colour = blue\n"
    assert running.all_stale() == {"api": {"mount-replaced"}}
    running.repair("api")
    assert running.all_stale() == {}
    assert running.inside("api", "cat", "settings.txt") == "colour = red\n"


@pytest.mark.parametrize("how", ["made anew", "moved"])
def test_5_a_mounted_folder_is_another_one(running: Stack, how: str) -> None:
    source, server = running.root / "api/src", (running.root / "api/src/server.js").read_text()
    source.rename(running.root / "api/old")
    if how == "made anew":
        command.run(["rm", "-r", str(running.root / "api/old")]).require()
    source.mkdir()
    (source / "server.js").write_text(server + "// new\n")
    assert running.all_stale() == {"api": {"mount-replaced"}}
    running.repair("api")
    assert running.all_stale() == {}
    assert "// new" in running.inside("api", "cat", "src/server.js")


def test_5_a_mounted_file_is_gone(running: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    path = running.root / "api/settings.txt"
    # As when the image is built anew: its packages are compared, which must not make a folder in the file's place.
    monkeypatch.setattr(anonymous_volume, "_is_younger", lambda *_: False)
    path.unlink()
    assert running.all_stale() == {"api": {"mount-gone"}}
    assert not path.exists()
    path.write_text("colour = green\n")
    running.repair("api")
    assert running.all_stale() == {}


def test_6_a_mounted_source_was_written_after_the_start(running: Stack) -> None:
    running.write("api/src/server.js", "setInterval(() => console.log('new'), 60000)\n")
    (stale,) = running.stale("api")
    assert (stale.kind, stale.is_certain) == ("not-reloaded", False)
    assert "may" in status.summary(running.read())
    before = running.container("api").attrs["State"]["StartedAt"]
    running.repair("api")
    assert running.all_stale() == {}
    assert running.container("api").attrs["State"]["StartedAt"] != before


def test_6_a_server_that_reloads_is_left_alone(running: Stack) -> None:
    path = running.root / "compose.yaml"
    watching = 'build: api\n    command: ["node", "--watch", "src/server.js"]'
    path.write_text(path.read_text().replace("build: api", watching))
    running.repair("api")
    running.write("api/src/server.js", "setInterval(() => console.log('new'), 60000)\n")
    assert running.all_stale() == {}


def test_6_what_a_server_that_reloads_did_not_hear_is_named(running: Stack) -> None:
    path = running.root / "compose.yaml"
    watching = 'build: api\n    command: ["node", "--watch", "src/server.js"]'
    path.write_text(path.read_text().replace("build: api", watching))
    running.repair("api")
    # The program itself runs below the one that watches.
    assert wait_until(lambda: len(running.container("api").top()["Processes"]) > 1, 60)
    # It follows the file that a save throws away, and hears of the one that has begun to do so, at most.
    for number in range(4):
        text = f"setInterval(() => console.log({number}), 60000)\n"
        replace_by_rename(running.root / "api/src/server.js", text)
        time.sleep(2)
    (stale,) = running.stale("api")
    assert (stale.kind, stale.is_certain) == ("not-reloaded", False)
    running.repair("api")
    assert running.all_stale() == {}


def test_7_and_9_other_packages_are_wanted_under_a_mount(running: Stack) -> None:
    running.write("api/package.json", '{ "name": "api", "version": "2.0.0", "type": "module" }\n')
    assert running.all_stale() == {"api": {"dependencies-changed", "old-volume"}}
    running.repair("api")
    assert running.all_stale() == {}
    assert "2.0.0" in running.inside("api", "cat", "node_modules/.package-lock.json")


def test_8_the_tag_of_an_image_is_gone(running: Stack) -> None:
    running.client.api.remove_image(running.own.image("api").tag, force=True, noprune=True)
    assert running.all_stale() == {"api": {"image-missing"}}
    running.repair("api")
    assert running.all_stale() == {}


def test_9_a_volume_keeps_the_packages_of_an_older_image(running: Stack) -> None:
    running.write("api/package.json", '{ "name": "api", "version": "2.0.0", "type": "module" }\n')
    running.build("api")
    command.run(running.own.compose("up", "--detach", "api"), env=running.own.environment).require()
    assert "1.0.0" in running.inside("api", "cat", "node_modules/.package-lock.json")
    assert running.all_stale() == {"api": {"old-volume"}}
    running.repair("api")
    assert running.all_stale() == {}
    assert "2.0.0" in running.inside("api", "cat", "node_modules/.package-lock.json")


def test_a_service_that_ended_does_not_run(running: Stack) -> None:
    running.container("cache").kill()
    assert running.all_stale() == {"cache": {"not-running"}}
    running.repair("cache")
    assert running.all_stale() == {}


def test_every_container_of_a_scaled_service_is_looked_at(running: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_REPLICAS", "2")
    stack.up(project.load(running.root, "gpu"), Silent())
    assert running.all_stale() == {}
    assert [one.container for one in running.read() if one.service == "web"] == [
        f"{running.own.name}-web-{number}" for number in (1, 2)
    ]
    running.write("web/server.js", "setInterval(() => console.log('new'), 60000)\n")
    found = [one for one in running.read() if one.service == "web"]
    assert [[stale.kind for stale in one.freshness.stale] for one in found] == [["source-changed"]] * 2
    (command,) = {stale.repair for one in found for stale in one.freshness.stale}
    assert command == "invoke build web up web"


def test_absent_services_and_an_image_that_is_behind(running: Stack) -> None:
    stack.down(running.own)
    assert {kind for kinds in running.all_stale().values() for kind in kinds} == {"not-running"}
    assert status.summary(running.read()) == "nothing runs"
    running.write("web/server.js", "setInterval(() => console.log('new'), 60000)\n")
    assert running.all_stale()["web"] == {"not-running", "source-changed"}
    running.repair("web")
    assert "web" not in running.all_stale()


def test_an_image_of_unknown_origin_is_compared_by_what_its_container_holds(running: Stack) -> None:
    """As in any project that was built with plain Compose."""
    bake(running, "base", "web")
    stack.up(running.own, Silent())
    one = running.one("web")
    assert one.freshness.inputs.image == ""
    assert one.freshness.stale == ()
    assert one.freshness.unknown
    os.utime(running.root / "web/server.js")
    assert running.stale("web") == ()
    running.write("web/server.js", "setInterval(() => console.log('new'), 60000)\n")
    assert [(stale.kind, stale.is_certain) for stale in running.stale("web")] == [("source-changed", True)]
    running.repair("web")
    one = running.one("web")
    assert (one.freshness.stale, one.freshness.unknown) == ((), ())


def test_status_changes_nothing(running: Stack, engine_client: Any) -> None:
    def everything() -> tuple[set[str], set[str], set[str]]:
        containers = engine_client.containers.list(all=True, filters={"name": running.own.name})
        volumes = {one.name for one in engine_client.volumes.list() if running.own.name in str(one.attrs)}
        return {one.id + one.attrs["State"]["StartedAt"] for one in containers}, volumes, set()

    before = everything()
    running.write("api/package.json", '{ "name": "api", "version": "2.0.0", "type": "module" }\n')
    running.read()
    assert everything() == before
    assert not engine_client.containers.list(all=True, filters={"label": f"{LOOK_LABEL}={own_mark()}"})


def test_the_task_prints_one_document(running: Stack) -> None:
    running.write("web/server.js", "setInterval(() => console.log('new'), 60000)\n")
    outcome = invoke(running.root, "status --json")
    document = json.loads(outcome.stdout)
    assert document["ok"] is False
    (web,) = [one for one in document["services"] if one["service"] == "web"]
    assert web["stale"][0]["kind"] == "source-changed"
    assert web["repair"] == web["stale"][0]["repair"] == "invoke build web up web"
    assert web["image_inputs"]["container"] != web["image_inputs"]["now"]


def test_without_an_engine_it_ends_with_3(tmp_path: Path) -> None:
    shutil.copytree(PROJECT, tmp_path / "stale")
    outcome = invoke(tmp_path / "stale", "status", DOCKER_HOST="tcp://127.0.0.1:1")
    assert outcome.returncode == 3
    assert "127.0.0.1:1" in outcome.stderr
