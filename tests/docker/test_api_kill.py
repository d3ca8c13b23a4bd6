"""Whatever is killed while photos and clips are uploaded: what was acknowledged is there, finished or rightly failed.

`API_KILLS=20` kills that often; the default keeps this file short.
"""

import hashlib
import json
import os
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from clip import FRAME_COUNT, PHOTO, make_clip
from uploads import Uploads

from layerstack.build import build
from layerstack.build.progress import PlainLog
from layerstack.project import project
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.address import addresses
from layerstack.run.rehearsal import rehearsal
from layerstack.run.startup import Silent
from layerstack.wait import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.long]

ROOT = Path(__file__).parents[2]
SERVICES = ("mongodb", "pose-service", "backend-api")
KILLS = int(os.environ.get("API_KILLS", "3"))
BACK_SECONDS = 60.0
# What was cut off is done after what came later, and there is more of both with more kills.
FINISH_SECONDS = 120.0 + 20.0 * KILLS
HANG_SECONDS = 15.0
# Nobody waits long for the work of a killed process here, and nobody uploads too much.
SETTINGS = {"LEASE_SECONDS": "5", "UPLOADS_PER_MINUTE": "0", "REQUESTS_PER_MINUTE": "0"}


@pytest.fixture(scope="module")
def copy() -> Iterator[Project]:
    """The stack's three services that an analysis needs, beside the user's own stack."""
    loaded = project.load(ROOT, "cpu")
    build.build(loaded, ["pose-service", "backend-api"], PlainLog())
    with rehearsal(loaded, "api-kill", {"backend-api": {"environment": json.dumps(SETTINGS)}}) as started:
        stack.up(started, Silent(), SERVICES)
        yield started


@pytest.fixture
def url(copy: Project) -> str:
    return addresses(copy)["backend-api"]


@pytest.fixture
def media(copy: Project, engine_client: Any) -> dict[str, tuple[bytes, float]]:
    """What is uploaded, and the seconds between two of it."""
    clip = make_clip(container_of(engine_client, copy, "pose-service"))
    return {"rider.jpg": (PHOTO.read_bytes(), 0.2), "ride.mp4": (clip, 2.0)}


def test_a_photo_and_a_clip_go_the_whole_way(url: str, media: dict[str, tuple[bytes, float]]) -> None:
    photo, clip = (analyse(url, name, content) for name, (content, _) in media.items())
    assert (photo["kind"], photo["status"], photo["people"]) == ("photo", "done", 1)
    assert len(photo["pose"]["people"][0]["keypoints"]) == len(photo["pose"]["people"][0]["world"]) > 0
    assert (clip["kind"], clip["status"], clip["progress"]["framesDone"]) == ("clip", "done", FRAME_COUNT)
    frames = requests.get(url + clip["links"]["frames"], timeout=15).json()["items"]
    assert [frame["index"] for frame in frames] == list(range(FRAME_COUNT))
    assert {person["id"] for frame in frames for person in frame["people"]} == {
        person["id"] for person in clip["summary"]["people"]
    }
    assert requests.get(url + clip["links"]["exportJson"], timeout=15).json()["frames"] == frames
    assert len(requests.get(url + clip["links"]["exportCsv"], timeout=15).text.splitlines()) > FRAME_COUNT


@pytest.mark.parametrize("victim", SERVICES)
def test_what_was_acknowledged_survives_kills(
    copy: Project, url: str, engine_client: Any, media: dict[str, tuple[bytes, float]], victim: str
) -> None:
    container = container_of(engine_client, copy, victim)
    with Uploads(url, media) as uploads:
        for kill in range(KILLS):
            before = len(uploads.accepted)
            assert wait_until(partial(has_grown, uploads, before), BACK_SECONDS), f"no upload before kill {kill + 1}"
            time.sleep(random.uniform(0.0, 1.5))
            container.kill("SIGKILL")
            container.start()
    assert uploads.surprises == []
    assert len(uploads.accepted) > KILLS
    assert wait_until(partial(all_are_final, url, uploads), FINISH_SECONDS), open_of(url, uploads)
    report = [state_of(url, one) for one in uploads.accepted]
    print(
        f"{victim}: {KILLS} kills, {len(report)} acknowledged, {report.count('done')} done, {uploads.refusals} refused"
    )
    assert set(report) <= {"done", "failed"}
    # A failure is only right when its work was cut off three times; a kill cuts off two at most.
    assert report.count("failed") * 3 <= KILLS * 2
    for one, digest in uploads.accepted.items():
        media = requests.get(f"{url}/api/analyses/{one}/media", timeout=30).content
        assert hashlib.sha256(media).hexdigest() == digest


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_frozen_database_is_told_and_never_hangs(
    copy: Project, url: str, engine_client: Any, media: dict[str, tuple[bytes, float]], method: str
) -> None:
    database = container_of(engine_client, copy, "mongodb")
    database.pause()
    try:
        began = time.monotonic()
        files = {"media": ("rider.jpg", media["rider.jpg"][0])} if method == "post" else None
        answer = requests.request(method, f"{url}/api/analyses", files=files, timeout=30)
        assert answer.status_code == requests.codes.service_unavailable
        assert int(answer.headers["Retry-After"]) > 0
        assert time.monotonic() - began < HANG_SECONDS
    finally:
        database.unpause()
    assert wait_until(lambda: requests.get(f"{url}/api/analyses", timeout=15).ok, BACK_SECONDS)


def analyse(url: str, name: str, content: bytes) -> dict[str, Any]:
    """Upload and wait until the work is over."""
    files, waits = {"media": (name, content)}, {"Prefer": "wait=60"}
    answer = requests.post(f"{url}/api/analyses", files=files, headers=waits, timeout=90)
    assert answer.ok, answer.text
    found: dict[str, Any] = answer.json()
    return found


def container_of(client: Any, copy: Project, service: str) -> Any:
    labels = [f"com.docker.compose.project={copy.name}", f"com.docker.compose.service={service}"]
    (found,) = client.containers.list(filters={"label": labels})
    return found


def has_grown(uploads: Uploads, before: int) -> bool:
    return len(uploads.accepted) > before


def all_are_final(url: str, uploads: Uploads) -> bool:
    return not open_of(url, uploads)


def open_of(url: str, uploads: Uploads) -> dict[str, str]:
    """Acknowledged analyses that are neither done nor failed, or are not found, with their states."""
    states = {one: state_of(url, one) for one in uploads.accepted}
    return {one: state for one, state in states.items() if state not in ("done", "failed")}


def state_of(url: str, analysis: str) -> str:
    """The status of an analysis, `failed` only with a reason; else what the API answers."""
    try:
        answer = requests.get(f"{url}/api/analyses/{analysis}", timeout=15)
    except requests.RequestException as error:
        return f"no answer: {error}"
    if answer.status_code != requests.codes.ok:
        return f"status {answer.status_code}"
    found = answer.json()
    if found["status"] == "failed":
        return "failed" if found["error"]["detail"] else "failed without a reason"
    return str(found["status"])
