"""Faults that happen to a running stack: each is named with its service, cause and repair, and the repair works."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_stack import FaultStack, fault_stack

from layerstack.project.project import Port
from layerstack.verify.verify import verify

pytestmark = [pytest.mark.docker, pytest.mark.long]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultStack]:
    with fault_stack("faults", tmp_path_factory.mktemp("faults")) as found:
        yield found


@pytest.fixture(autouse=True)
def healthy_before(running: FaultStack) -> None:
    running.up()


def port_of(running: FaultStack, service: str) -> Port:
    return running.own.services[service].ports[0]


def test_mongo_killed(running: FaultStack) -> None:
    running.container("mongodb").kill()
    found = running.find()
    assert (found.service, found.kind, found.repair) == ("mongodb", "killed", "invoke up"), found
    assert running.because() == {"backend-api": "mongodb", "frontend": "mongodb", "mongo-express": "mongodb"}
    running.repair(found)


def test_mongo_paused(running: FaultStack) -> None:
    running.container("mongodb").pause()
    found = running.find()
    assert (found.service, found.kind) == ("mongodb", "paused")
    assert found.repair == f"docker unpause {running.own.name}-mongodb-1"
    assert not found.evidence, "its log cannot tell why it is paused"
    running.repair(found)


def test_mongo_frozen_while_docker_still_calls_it_healthy(running: FaultStack) -> None:
    running.inside("mongodb", "sh", "-c", "kill -STOP $(pidof mongod)")
    started = time.monotonic()
    found = running.find()
    assert time.monotonic() - started < 30
    assert (found.service, found.kind, found.repair) == ("mongodb", "frozen", "invoke restart mongodb")
    running.repair(found)


def test_pose_frozen(running: FaultStack) -> None:
    freeze = "kill -STOP $(grep -l gunicorn /proc/[0-9]*/comm | cut -d/ -f3)"
    # As its own user: root has no capabilities there.
    running.inside("pose-service", "sh", "-c", freeze, user="app")
    found = running.find()
    assert (found.service, found.kind, found.repair) == ("pose-service", "frozen", "invoke restart pose-service")
    assert running.because()["backend-api"] == "pose-service"
    running.repair(found)


def test_vite_crashing_after_its_start(running: FaultStack) -> None:
    running.inside("frontend", "sh", "-c", "kill -ABRT $(pidof node | tr ' ' '\\n' | sort -n | head -1)", user="app")
    found = running.find()
    assert (found.service, found.kind, found.repair) == ("frontend", "crashed", "invoke up frontend")
    assert found.facts["exit_code"] != 0
    running.repair(found)


def test_port_held_by_a_container_of_another_project(running: FaultStack) -> None:
    port, name = port_of(running, "backend-api"), f"{running.own.name}-squatter"
    running.container("backend-api").stop(timeout=2)
    labels = {"com.docker.compose.project": name, "com.docker.compose.service": "web"}
    held = running.client.containers.run(
        "snowboarding-backend-api:latest",
        ["sleep", "99"],
        name=name,
        labels=labels,
        init=True,
        detach=True,
        remove=True,
        network=f"{running.own.name}_front",
        ports={"80/tcp": (port.host_ip, port.published)},
    )
    try:
        assert running.start(running.own, "backend-api").exit_code != 0
        found = running.find()
        assert (found.service, found.kind) == ("backend-api", "port-held")
        assert found.repair == f"docker stop {name} && invoke up"
        assert name in found.cause
    finally:
        held.stop(timeout=1)
    running.up()


def test_two_faults_that_do_not_follow_from_each_other_are_both_told(running: FaultStack) -> None:
    running.container("mongo-express").pause()
    running.container("pose-service").kill()
    running.find()
    told = {one.service: (one.kind, one.repair) for one in running.last.diagnoses}
    assert told == {
        "mongo-express": ("paused", f"docker unpause {running.own.name}-mongo-express-1"),
        "pose-service": ("killed", "invoke up"),
    }
    running.container("mongo-express").unpause()


def test_verify_leaves_nothing_behind(running: FaultStack) -> None:
    before = traces(running)
    report = verify(running.own)
    assert report.is_ok
    assert any(check.check == "estimate" for one in report.services for check in one.checks)
    after = traces(running)
    assert {name: after[name] for name in after if after[name] != before[name]} == {}


def traces(running: FaultStack) -> dict[str, object]:
    """What a check could leave: containers, their files, open programs inside them, analyses in the database."""
    own = {"label": f"com.docker.compose.project={running.own.name}"}
    containers = running.client.containers.list(all=True, filters=own)
    counted = (
        "const names = db.getMongo().getDBs().databases.map(d => d.name);"
        "const mine = names.filter(name => !['admin', 'local', 'config'].includes(name));"
        "const own = mine.map(name => db.getSiblingDB(name));"
        "print(EJSON.stringify(own.flatMap(d => d.getCollectionNames().map(c => [c, d[c].countDocuments()]))))"
    )
    user = "process.env.MONGO_INITDB_ROOT_USERNAME, process.env.MONGO_INITDB_ROOT_PASSWORD"
    login = f"db.getSiblingDB('admin').auth({user}); "
    counts = json.loads(
        running.inside("mongodb", "mongosh", "--quiet", "--norc", "--eval", login + counted).splitlines()[-1]
    )
    return {
        "containers": sorted((one.id, one.attrs["State"]["StartedAt"]) for one in containers),
        "files": sorted(path for one in containers for path in files_of(one)),
        "analyses": sorted(counts),
        "host": sorted(path.name for path in Path(running.own.root).iterdir()),
    }


def files_of(container: Any) -> list[str]:
    """New and changed files, without those that the stack's programs and this test's own mongosh write all the time."""
    changed = [change["Path"] for change in container.diff() or ()]
    volatile = ("/tmp", "/root", "/home/mongodb", "/run", "/var/tmp")
    return [f"{container.name}:{path}" for path in changed if not path.startswith(volatile)]
