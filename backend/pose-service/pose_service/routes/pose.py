"""POST /pose: a photo in, people out."""

from __future__ import annotations

import threading
import time
from typing import IO, Any

from flask import Blueprint, request

from pose_service.answer import describe_person
from pose_service.engine import EngineFailedError
from pose_service.engine_host import EngineHost
from pose_service.gate import BusyError, Gate
from pose_service.image import TooManyPixelsError, UnreadableImageError, decode
from pose_service.problem import ProblemError
from pose_service.registry import LoadedEngine
from pose_service.routes.health import describe_engine
from pose_service.settings import Settings

FIELD = "image"
FORM = "multipart/form-data"
# One at a time: 50 megapixels with transparency take 1 GB for a moment, and that is more than half of the container.
DECODING = threading.Lock()


def create_pose_routes(host: EngineHost, settings: Settings) -> Blueprint:
    """The estimate of one image; the errors that can be expected become problems."""
    routes = Blueprint("pose", __name__)
    gate = Gate(settings.concurrency, settings.queue_length, settings.queue_seconds)

    @routes.post("/pose")
    def post_pose() -> dict[str, Any]:
        upload = _uploaded_image()
        loaded = _loaded_engine(host)
        try:
            with gate.enter():
                return _estimate(upload, loaded, settings.max_pixels)
        except BusyError as error:
            raise ProblemError(503, "busy", f"Too many images at once: {error}.", {"Retry-After": "5"}) from error
        except TooManyPixelsError as error:
            raise ProblemError(422, "too-many-pixels", str(error)) from error
        except UnreadableImageError as error:
            raise ProblemError(422, "unreadable-image", str(error)) from error
        except EngineFailedError as error:
            raise ProblemError(500, "engine-failed", str(error)) from error

    return routes


def _estimate(upload: IO[bytes], loaded: LoadedEngine, max_pixels: int) -> dict[str, Any]:
    started = time.perf_counter()
    with DECODING:
        rgb = decode(upload, max_pixels)
    people = loaded.engine.estimate(rgb)
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    return {
        **describe_engine(loaded),
        "image": {"width": rgb.shape[1], "height": rgb.shape[0]},
        "milliseconds": milliseconds,
        "people": [describe_person(person) for person in people],
    }


def _uploaded_image() -> IO[bytes]:
    if request.mimetype != FORM:
        detail = f"Send the image as the field {FIELD!r} of {FORM}, not {request.mimetype or 'nothing'}."
        raise ProblemError(415, "not-a-form", detail, {"Accept-Post": FORM})
    upload = request.files.get(FIELD)
    if upload is not None:
        return upload.stream
    if FIELD in request.form:
        raise ProblemError(400, "not-a-file", f"The field {FIELD!r} is text; send it as a file with a file name.")
    raise ProblemError(400, "missing-image", f"The form has no file in the field {FIELD!r}.")


def _loaded_engine(host: EngineHost) -> LoadedEngine:
    status = host.status
    if status.loaded is None:
        raise ProblemError(503, f"engine-{status.state}", status.reason, {"Retry-After": "5"})
    return status.loaded
