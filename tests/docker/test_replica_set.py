"""MongoDB as a replica set of three: its primary is killed, and what was acknowledged is there."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from clip import PHOTO
from uploads import Uploads

from layerstack.build import build
from layerstack.build.progress import PlainLog
from layerstack.project import project
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.address import addresses
from layerstack.run.rehearsal import rehearsal
from layerstack.run.startup import Silent
from layerstack.verify.verify import verify
from layerstack.wait import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.machines]
ROOT = Path(__file__).parents[2]
FILES = ("docker-compose.yml", "docker-compose.cpu.yml", "docker-compose.replica-set.yml")
MEMBERS = ("mongodb", "mongodb-2", "mongodb-3")
SETTINGS = {"UPLOADS_PER_MINUTE": "0", "REQUESTS_PER_MINUTE": "0"}
# What is acknowledged waits in the queue: nobody has to look at the photos.
CHANGES = {
    "environment": json.dumps(SETTINGS),
    "depends_on": "!override {mongo-user: {condition: service_completed_successfully}}",
}
# An election takes 10 to 12 s.
BACK_SECONDS = 90.0
ENOUGH = 3


@pytest.fixture(scope="module")
def copy() -> Iterator[Project]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSE_FILE", ":".join(FILES))
        loaded = project.load(ROOT, "cpu")
        build.build(loaded, ["backend-api"], PlainLog())
        with rehearsal(loaded, "replica-set", {"backend-api": CHANGES}) as started:
            stack.up(started, Silent(), (*MEMBERS, "backend-api"))
            yield started


def container(client: Any, copy: Project, service: str) -> Any:
    labels = [f"com.docker.compose.project={copy.name}", f"com.docker.compose.service={service}"]
    (found,) = client.containers.list(all=True, filters={"label": labels})
    return found


def primary(client: Any, copy: Project, member: str) -> str:
    """The member that takes writes, as another one knows it; "" during an election."""
    asked = container(client, copy, member).exec_run(["mongosh", "--quiet", "--eval", "db.hello().primary"])
    return str(asked.output.decode()).strip().rpartition(":")[0]


def test_no_acknowledged_analysis_is_lost_with_the_primary(copy: Project, engine_client: Any) -> None:
    url = addresses(copy)["backend-api"]
    killed = primary(engine_client, copy, "mongodb")
    assert killed in MEMBERS
    with Uploads(url, {"rider.jpg": (PHOTO.read_bytes(), 0.2)}) as uploads:
        assert wait_until(lambda: len(uploads.accepted) >= ENOUGH, BACK_SECONDS)
        container(engine_client, copy, killed).kill("SIGKILL")
        before = len(uploads.accepted)
        assert wait_until(lambda: len(uploads.accepted) >= before + ENOUGH, BACK_SECONDS)
    assert uploads.surprises == []
    other = next(one for one in MEMBERS if one != killed)
    assert primary(engine_client, copy, other) not in ("", killed)
    for one, digest in uploads.accepted.items():
        media = requests.get(f"{url}/api/analyses/{one}/media", timeout=30).content
        assert hashlib.sha256(media).hexdigest() == digest

    faults = {one.service for one in verify(copy).services if not one.is_ok}
    assert killed in faults
    container(engine_client, copy, killed).start()
    assert wait_until(lambda: primary(engine_client, copy, killed), BACK_SECONDS)
