"""The surface of the people in an image, for engines that fit a body model."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import IO, Protocol, runtime_checkable

import numpy as np

from pose_service.contract.engine import Floats, Person, PoseEngine
from pose_service.contract.job import JobError

MEDIA_TYPE = "application/octet-stream"
# Every part of the answer is one array in the byte order of browsers; numbers in JSON would be three times as long.
VERTICES, FACES = np.dtype("<f4"), np.dtype("<u4")


class NoMeshError(JobError):
    """This engine has no body model, so there is nothing under that address."""

    status = 404
    kind = "no-mesh"


@runtime_checkable
class MeshEngine(Protocol):
    """An engine whose people have vertices."""

    @property
    def faces(self) -> Floats:
        """(13776, 3) indices of vertices, the same for everybody."""


@dataclass(frozen=True)
class FacesJob:
    """Which vertices make a triangle."""

    def run(self, engine: PoseEngine, media: IO[bytes]) -> Generator[Floats, None, None]:
        """Yield one array (13776, 3). Raises NoMeshError."""
        require_mesh(engine)
        assert isinstance(engine, MeshEngine)
        yield np.asarray(engine.faces, FACES)


def require_mesh(engine: PoseEngine) -> None:
    """Raises NoMeshError for an engine that only finds keypoints."""
    if not isinstance(engine, MeshEngine):
        raise NoMeshError(f"The engine {engine.name} makes no mesh; hmr2 does (POSE_ENGINE=hmr2, with a GPU).")


def without_vertices(person: Person) -> Person:
    """The person without the 80 kB that only a mesh needs."""
    return person if person.body is None else replace(person, body=replace(person.body, vertices=None))


def encode_vertices(people: Sequence[Person]) -> tuple[bytes, str]:
    """(n, 6890, 3) float32, metres, and that shape as text; n is 0 when nobody is there."""
    meshes = [person.body.vertices for person in people if person.body is not None and person.body.vertices is not None]
    array = np.asarray(meshes, VERTICES) if meshes else np.zeros((0, 0, 3), VERTICES)
    return array.tobytes(), shape_of(array)


def shape_of(array: Floats) -> str:
    """`13776,3`."""
    return ",".join(str(length) for length in array.shape)
