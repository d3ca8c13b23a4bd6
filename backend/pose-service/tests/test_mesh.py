"""Vertices and triangles: as bytes, only when asked for, and refused by an engine that has none."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from bodies import posture
from flask.testing import FlaskClient

from pose_service.contract.engine import Body3D, Person, Pixels
from pose_service.contract.mesh import FacesJob, encode_vertices
from pose_service.finding.people_finder import FindOptions
from pose_service.pool.image_job import ImageFindings, ImageJob
from pose_service.web.answer import describe_people

VERTICES = np.arange(6890 * 3, dtype=np.float32).reshape(6890, 3)
BODY = Body3D(np.eye(3), np.tile(np.eye(3), (23, 1, 1)), np.zeros(10), np.array([0.1, 0.2, 8.0]), 12500.0, VERTICES)


class ScriptedEngine:
    """Always the same rider, with a body."""

    name = "scripted"
    device = "cpu"
    faces = np.arange(13776 * 3).reshape(13776, 3)

    def load(self) -> None: ...

    def estimate(self, rgb: Pixels) -> list[Person]:
        return [replace(posture(), body=BODY)]

    def close(self) -> None: ...


def run(is_mesh: bool, photo: Path) -> ImageFindings:
    with photo.open("rb") as media:
        (found,) = ImageJob(FindOptions(), 2_000_000, is_mesh).run(ScriptedEngine(), media)
    return found


def test_vertices_travel_only_when_they_are_asked_for(astronaut: Path) -> None:
    (lean,), (full,) = run(False, astronaut).found.people, run(True, astronaut).found.people
    assert lean.body is not None
    assert full.body is not None
    assert lean.body.vertices is None
    assert lean.body.camera.tolist() == BODY.camera.tolist()
    assert full.body.vertices is VERTICES


def test_the_bytes_are_those_of_the_array(astronaut: Path) -> None:
    content, shape = encode_vertices(run(True, astronaut).found.people * 2)
    assert shape == "2,6890,3"
    assert (np.frombuffer(content, "<f4").reshape(2, 6890, 3) == VERTICES).all()


def test_nobody_is_an_empty_array() -> None:
    assert encode_vertices([]) == (b"", "0,0,3")


def test_triangles_are_unsigned() -> None:
    (faces,) = FacesJob().run(ScriptedEngine(), io.BytesIO())
    assert (faces.dtype, faces.shape) == (np.dtype("<u4"), (13776, 3))


def test_a_body_is_told_in_json(astronaut: Path) -> None:
    (person,) = describe_people(run(False, astronaut).found.people)
    assert person["camera"] == {"translation": [0.1, 0.2, 8.0], "focal_pixels": 12500.0}
    assert person["smpl"]["global_orient"] == np.eye(3).tolist()
    assert (len(person["smpl"]["body_pose"]), len(person["smpl"]["betas"])) == (23, 10)


def test_an_engine_without_a_body_model_says_so(client: FlaskClient, astronaut: Path) -> None:
    answer = client.post("/pose?mesh=1", data={"image": (io.BytesIO(astronaut.read_bytes()), "photo")})
    assert (answer.status_code, answer.get_json()["type"]) == (404, "urn:pose-service:problem:no-mesh")
    faces = client.get("/pose/faces")
    assert (faces.status_code, faces.get_json()["type"]) == (404, "urn:pose-service:problem:no-mesh")
    assert "POSE_ENGINE=hmr2" in faces.get_json()["detail"]
