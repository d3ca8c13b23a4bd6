"""MongoDB as a replica set, its primary killed while photos are uploaded: what was acknowledged is there."""

import hashlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from clip import PHOTO
from uploads import Uploads

from layerstack.build import build
from layerstack.build.progress import PlainLog
from layerstack.engine.container import read_all
from layerstack.project import project
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.address import addresses
from layerstack.run.rehearsal import rehearsal
from layerstack.run.startup import Silent
from layerstack.wait import wait_until

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
MEMBERS = ("mongodb", "mongodb-2", "mongodb-3")
SECONDS = 60.0
# What an upload is, without the work on it: that needs no pose service, and nobody waits for one.
ALONE = {
    "depends_on": "!override { mongo-user: { condition: service_completed_successfully } }",
    "healthcheck": '{ test: [CMD, wget, -q, -O, "-", "http://127.0.0.1:3001/live"] }',
    "environment": '{ UPLOADS_PER_MINUTE: "0", REQUESTS_PER_MINUTE: "0" }',
}


@pytest.fixture
def copy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    files = ("docker-compose.yml", "docker-compose.cpu.yml", "docker-compose.replica-set.yml")
    monkeypatch.setenv("COMPOSE_FILE", os.pathsep.join(files))
    loaded = project.load(ROOT, "cpu")
    build.build(loaded, ["backend-api"], PlainLog())
    with rehearsal(loaded, "replica-set", {"backend-api": ALONE}) as started:
        stack.up(started, Silent(), ["backend-api"])
        yield started


def test_no_acknowledged_upload_is_lost_with_the_primary(copy: Project, engine_client: Any) -> None:
    url = addresses(copy)["backend-api"]
    found = read_all(engine_client, copy.name)
    containers = {name: engine_client.containers.get(found[name][0].id) for name in MEMBERS}
    primary = primary_of(containers["mongodb"])
    with Uploads(url, {"rider.jpg": (PHOTO.read_bytes(), 0.1)}) as uploads:
        assert wait_until(partial(has_grown, uploads, 5), SECONDS)
        containers[primary].kill("SIGKILL")
        before = len(uploads.accepted)
        assert wait_until(partial(has_grown, uploads, before + 5), SECONDS)
    other = next(one for name, one in containers.items() if name != primary)
    assert primary_of(other) != primary
    assert uploads.surprises == []
    for one, digest in uploads.accepted.items():
        media = requests.get(f"{url}/api/analyses/{one}/media", timeout=15)
        assert media.ok, media.text
        assert hashlib.sha256(media.content).hexdigest() == digest


def primary_of(container: Any) -> str:
    asked = container.exec_run(["mongosh", "--quiet", "--norc", "--eval", "print(db.hello().primary)"])
    assert asked.exit_code == 0, asked.output
    return str(asked.output.decode()).strip().partition(":")[0]


def has_grown(uploads: Uploads, count: int) -> bool:
    return len(uploads.accepted) > count
