"""POST /picture: a copy that every browser shows."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from numpy.typing import NDArray
from PIL import Image
from werkzeug.test import TestResponse

from pose_service.media.jpeg_copy import jpeg_copy

DATA = Path(__file__).parent / "data"
# Thumbnails of two encodings of one photo differ by about 4 of 255 levels.
NEAR_LEVELS = 10


def post(client: FlaskClient, content: bytes) -> TestResponse:
    return client.post("/picture", data={"image": (io.BytesIO(content), "photo")})


def levels(image: Image.Image) -> NDArray[np.int16]:
    return np.asarray(image.convert("RGB").resize((16, 16)), np.int16)


@pytest.mark.parametrize("name", ["astronaut.heic", "turned.heic"])
def test_heic_becomes_an_upright_jpeg_without_metadata(client: FlaskClient, astronaut: Path, name: str) -> None:
    answer = post(client, (DATA / name).read_bytes())
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    image = Image.open(io.BytesIO(answer.data))
    assert (image.format, image.size, len(image.getexif())) == ("JPEG", (512, 512), 0)
    assert np.abs(levels(image) - levels(Image.open(astronaut))).mean() < NEAR_LEVELS


@pytest.mark.parametrize("name", ["lying.heic", "README.md"])
def test_what_cannot_be_read_is_a_problem(client: FlaskClient, name: str) -> None:
    answer = post(client, (DATA / name).read_bytes())
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_a_large_picture_is_made_smaller_and_fits_into_a_document_of_mongodb() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (4000, 4000, 3), np.uint8)
    content = jpeg_copy(noise)
    assert Image.open(io.BytesIO(content)).size == (2560, 2560)
    assert len(content) < 10 * 2**20
