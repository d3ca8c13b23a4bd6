"""POST /pose with the real MediaPipe on a real photo."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from pose_service.contract.blazepose import NAMES

NOSE = (223, 128)
PHOTO_SIZE = 512


def post(client: FlaskClient, content: bytes, filename: str = "photo") -> TestResponse:
    return client.post("/pose", data={"image": (io.BytesIO(content), filename)})


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format_name, **options)
    return stream.getvalue()


def only_nose(answer: TestResponse) -> tuple[float, float]:
    assert answer.status_code == 200, answer.text
    (person,) = answer.get_json()["people"]
    nose = person["keypoints"][0]
    assert nose["name"] == "nose"
    return nose["x"], nose["y"]


def assert_near(found: tuple[float, float], wanted: tuple[float, float], size: int = PHOTO_SIZE) -> None:
    assert found == pytest.approx(wanted, abs=0.03 * size)


def assert_problem(answer: TestResponse, status: int, kind: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["status"] == status
    assert answer.get_json()["type"] == (f"urn:pose-service:problem:{kind}" if kind else "about:blank")
    assert answer.get_json()["title"]
    assert answer.get_json()["detail"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), OSError(errno.EMFILE, "many"), MemoryError()])
def test_an_upload_without_room_is_not_the_clients_fault(
    client: FlaskClient, astronaut: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr("werkzeug.wrappers.request.default_stream_factory", refuse)
    answer = post(client, astronaut.read_bytes())
    assert_problem(answer, 503, "no-room")
    assert int(answer.headers["Retry-After"]) > 0


def test_photo_gives_the_documented_answer(client: FlaskClient, astronaut: Path) -> None:
    answer = post(client, astronaut.read_bytes())
    assert_near(only_nose(answer), NOSE)
    body = answer.get_json()
    assert (body["engine"], body["device"]) == ("mediapipe", "cpu")
    assert body["image"] == {"width": 512, "height": 512}
    assert body["milliseconds"] > 0
    (person,) = body["people"]
    assert person["skeleton"] == "blazepose33"
    assert tuple(point["name"] for point in person["keypoints"]) == NAMES
    assert all(0 <= point["confidence"] <= 1 for point in person["keypoints"])
    assert len(person["world"]) == 33
    assert all(set(point) == {"x", "y", "z"} for point in person["world"])
    assert 0 < person["score"] <= 1
    assert "camera level" in person["assumptions"]


def test_box_is_inside_the_image_and_holds_the_nose(client: FlaskClient, astronaut: Path) -> None:
    (person,) = post(client, astronaut.read_bytes()).get_json()["people"]
    left, top, right, bottom = person["box"]
    assert 0 <= left < NOSE[0] < right <= 512
    assert 0 <= top < NOSE[1] < bottom <= 512


def test_legs_outside_the_photo_give_null_with_a_reason(client: FlaskClient, astronaut: Path) -> None:
    (person,) = post(client, astronaut.read_bytes()).get_json()["people"]
    knee = person["measures"]["knee_flexion_left"]
    assert knee["value"] is None
    assert "not clearly visible" in knee["reason"]


@pytest.mark.parametrize("orientation", range(2, 9))
def test_exif_orientation_is_applied(client: FlaskClient, astronaut: Path, orientation: int) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    upright = Image.open(astronaut).crop((0, 0, 512, 448))
    exif = Image.Exif()
    exif[0x0112] = orientation
    answer = post(client, encoded(upright.transpose(undo), "JPEG", exif=exif, quality=95))
    assert answer.get_json()["image"] == {"width": 512, "height": 448}
    assert_near(only_nose(answer), NOSE)


@pytest.mark.parametrize("scale", [(1024, 1024), (512, 300), (200, 512)])
def test_keypoints_are_pixels_of_the_original(client: FlaskClient, astronaut: Path, scale: tuple[int, int]) -> None:
    side, margin = 512, 120
    canvas = Image.new("RGB", (side + 2 * margin, side), "white")
    canvas.paste(Image.open(astronaut), (margin, 0))
    resized = canvas.resize((scale[0] + 2 * margin * scale[0] // side, scale[1]))
    x, y = only_nose(post(client, encoded(resized, "PNG")))
    wanted = ((NOSE[0] + margin) * resized.width / canvas.width, NOSE[1] * resized.height / side)
    assert (x, y) == pytest.approx(wanted, abs=0.03 * max(resized.size))


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "RGBA", "LA"])
def test_colour_modes_find_the_same_person(client: FlaskClient, astronaut: Path, mode: str) -> None:
    format_name = "JPEG" if mode == "CMYK" else "PNG"
    converted = Image.open(astronaut).convert("L" if mode == "LA" else "RGB").convert(mode)
    assert_near(only_nose(post(client, encoded(converted, format_name))), NOSE)


def test_first_frame_of_an_animation_counts(client: FlaskClient, astronaut: Path) -> None:
    first = Image.open(astronaut).convert("P")
    blank = Image.new("P", first.size)
    animation = encoded(first, "GIF", save_all=True, append_images=[blank, blank])
    assert_near(only_nose(post(client, animation)), NOSE)


@pytest.mark.parametrize("size", [(1, 1), (1, 1500), (1500, 1), (2, 2), (640, 480)])
def test_nobody_is_an_empty_list(client: FlaskClient, size: tuple[int, int]) -> None:
    answer = post(client, encoded(Image.new("RGB", size, "grey"), "PNG"))
    assert answer.status_code == 200
    assert answer.get_json()["people"] == []
    assert answer.get_json()["image"] == {"width": size[0], "height": size[1]}


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"hello", b"\xff\xd8\xff", b"GIF89a", b"%PDF-1.7", b"<svg/>", b"\x89PNG\r\n\x1a\n"]
)
def test_bytes_that_are_no_image(client: FlaskClient, content: bytes) -> None:
    assert_problem(post(client, content, "photo.jpg"), 422, "unreadable-image")


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_truncated_image(client: FlaskClient, astronaut: Path, format_name: str, fraction: float) -> None:
    content = encoded(Image.open(astronaut), format_name)
    assert_problem(post(client, content[: int(len(content) * fraction)]), 422, "unreadable-image")


def test_too_many_pixels_are_refused_before_decoding(client: FlaskClient) -> None:
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    assert_problem(post(client, bomb), 422, "too-many-pixels")


def test_too_large_upload(client: FlaskClient) -> None:
    answer = post(client, bytes(5 * 1024 * 1024))
    assert_problem(answer, 413, "too-large")
    assert "4 MiB" in answer.get_json()["detail"]


def test_missing_field(client: FlaskClient) -> None:
    form = {"photo": (io.BytesIO(b"x"), "x.jpg")}
    assert_problem(client.post("/pose", data=form), 400, "missing-image")


def test_text_field_instead_of_a_file(client: FlaskClient) -> None:
    form = {"image": "x"}
    assert_problem(client.post("/pose", data=form, content_type="multipart/form-data"), 400, "not-a-file")


@pytest.mark.parametrize("content_type", ["image/jpeg", "application/json", "application/x-www-form-urlencoded", None])
def test_other_content_types(client: FlaskClient, content_type: str | None) -> None:
    answer = client.post("/pose", data=b"{}", content_type=content_type)
    assert_problem(answer, 415, "not-a-form")
    assert answer.headers["Accept-Post"] == "multipart/form-data"


def test_form_without_boundary(client: FlaskClient) -> None:
    assert_problem(client.post("/pose", data=b"x", content_type="multipart/form-data"), 400, "missing-boundary")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/pose", "POST"), ("PUT", "/pose", "POST"), ("GET", "/pose/video", "POST"), ("POST", "/health", "GET")],
)
def test_wrong_method_names_the_right_ones(client: FlaskClient, method: str, path: str, allowed: str) -> None:
    answer = client.open(path, method=method)
    assert_problem(answer, 405)
    assert allowed in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/", "/pose/", "/pose/videos", "/nothing", "/%00", "/%ff"])
def test_unknown_path(client: FlaskClient, path: str) -> None:
    assert_problem(client.get(path), 404)


def test_service_still_works_after_bad_input(client: FlaskClient, astronaut: Path) -> None:
    for content in (b"", b"hello", astronaut.read_bytes()[:1000]):
        post(client, content)
    assert_near(only_nose(post(client, astronaut.read_bytes())), NOSE)
