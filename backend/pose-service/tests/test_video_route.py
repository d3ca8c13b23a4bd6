"""POST /pose/video and the drawn picture, through the app with a real engine process."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import clip, sound_only
from flask.testing import FlaskClient
from montage import Pasted, picture
from PIL import Image
from werkzeug.test import TestResponse

from pose_service.contract.blazepose import NAMES

SIZE = (640, 360)
TIMES = [0.0, 0.03, 0.1, 0.14, 0.3, 0.31, 0.5, 0.6]


def scene(frame: int) -> Pasted:
    return Pasted(60 + 8 * frame, 30, 320)


@pytest.fixture(scope="module")
def film() -> bytes:
    return clip((picture(SIZE, [scene(frame)]) for frame in range(len(TIMES))), TIMES)


def post(client: FlaskClient, content: bytes, **fields: str) -> TestResponse:
    return client.post("/pose/video", data={"video": (io.BytesIO(content), "ride.mp4"), **fields})


def lines_of(answer: TestResponse) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_line_a_frame_and_a_summary(client: FlaskClient, film: bytes) -> None:
    *frames, last = lines_of(post(client, film, max_people="1", stance="goofy"))
    assert [line["index"] for line in frames] == list(range(len(TIMES)))
    assert [line["time_seconds"] for line in frames] == pytest.approx(TIMES, abs=0.002)
    for line in frames:
        assert line["image"] == {"width": SIZE[0], "height": SIZE[1]}
        assert line["total"]["frames"] == len(TIMES)
        (person,) = line["people"]
        assert person["id"] == 1
        assert person["stance"] == {"value": "goofy", "source": "given"}
        nose = person["keypoints"][NAMES.index("nose")]
        assert (nose["x"], nose["y"]) == pytest.approx(scene(line["index"]).nose, abs=0.06 * 320)
        assert person["smoothed"]["keypoints"][0] == pytest.approx([nose["x"], nose["y"]], abs=15)
    summary = last["summary"]
    assert (summary["engine"], summary["frames"], summary["damaged_packets"]) == ("mediapipe", len(TIMES), 0)
    (rider,) = summary["people"]
    assert rider["frames"] == len(TIMES)
    assert rider["measures"]["trunk_lean"]["unit"] == "degrees"
    assert rider["airtime"]["reason"]


@pytest.mark.parametrize("content", [b"", b"hello", sound_only()])
def test_no_video_is_a_problem_and_no_stream(client: FlaskClient, content: bytes) -> None:
    answer = post(client, content)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert answer.get_json()["type"].endswith(":unreadable-video")


def test_a_photo_is_no_video(client: FlaskClient, astronaut: Path) -> None:
    assert post(client, astronaut.read_bytes()).get_json()["type"].endswith(":unreadable-video")


def test_bad_options_are_refused_before_anything_is_decoded(client: FlaskClient, film: bytes) -> None:
    answer = post(client, film, stance="sideways")
    assert (answer.status_code, answer.get_json()["type"]) == (400, "urn:pose-service:problem:bad-option")


@pytest.mark.parametrize(
    ("accept", "kind", "name"),
    [(None, "image/png", "PNG"), ("image/png", "image/png", "PNG"), ("image/jpeg,*/*;q=0.1", "image/jpeg", "JPEG")],
)
def test_the_picture_with_the_skeleton(
    client: FlaskClient, astronaut: Path, accept: str | None, kind: str, name: str
) -> None:
    form = {"image": (io.BytesIO(astronaut.read_bytes()), "photo.jpg"), "max_people": "1"}
    answer = client.post("/pose?draw=1", data=form, headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.mimetype) == (200, kind)
    image = Image.open(io.BytesIO(answer.data)).convert("RGB")
    assert (Image.open(io.BytesIO(answer.data)).format, image.size) == (name, (512, 512))
    # Between the shoulders is a white line: at a third of the way the photo is dark.
    form = {"image": (io.BytesIO(astronaut.read_bytes()), "photo.jpg"), "max_people": "1"}
    (person,) = client.post("/pose", data=form).get_json()["people"]
    ends = [np.array([each["x"], each["y"]]) for each in person["keypoints"] if each["name"].endswith("_shoulder")]
    middle = tuple(np.round((2 * ends[0] + ends[1]) / 3).astype(int).tolist())
    assert _brightest(image, middle) > 200 > _brightest(Image.open(astronaut), middle)


def _brightest(image: Image.Image, at: tuple[int, int]) -> int:
    return max(min(image.getpixel((at[0], at[1] + y))) for y in range(-4, 5))


def test_search_and_stance_are_in_the_answer(client: FlaskClient, astronaut: Path) -> None:
    form = {"image": (io.BytesIO(astronaut.read_bytes()), "photo.jpg"), "max_people": "1"}
    body = client.post("/pose?stance=goofy", data=form).get_json()
    assert body["search"]["passes"] == 3
    assert 0 < body["search"]["milliseconds"] < body["milliseconds"]
    (person,) = body["people"]
    assert person["stance"] == {"value": "goofy", "source": "given"}
    assert "stance=goofy (given)" in person["assumptions"]
    for item in person["measures"].values():
        assert item["points"]
        assert item["unit"]
        assert ("reason" in item) == (item["value"] is None)
        assert ("confidence" in item) == (item["value"] is not None)
