"""Settings, read once from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Number = TypeVar("Number", int, float)
MEBIBYTE = 1024 * 1024
ENGINES = ("auto", "mediapipe", "hmr2")
# gunicorn.conf.py has 64 threads: some stay free for /health, whatever waits.
MAX_INSIDE = 56


class SettingsError(ValueError):
    """An environment variable holds something that the service cannot use."""


@dataclass(frozen=True)
class Settings:
    """What the operator may change; every field has a variable of its own (see `from_environment`).

    engines: 0 for as many as there are cores (see capacity).
    """

    engine: str = "auto"
    engines: int = 0
    max_upload_bytes: int = 32 * MEBIBYTE
    max_pixels: int = 50_000_000
    max_people: int = 8
    max_passes: int = 64
    queue_length: int = 16
    queue_seconds: float = 20.0
    deadline_seconds: float = 30.0
    upload_seconds: float = 30.0
    send_seconds: float = 60.0
    start_seconds: float = 300.0
    max_video_bytes: int = 200 * MEBIBYTE
    video_seconds: float = 180.0
    video_frames: int = 10_800
    video_pixels: int = 16_000_000
    video_deadline_seconds: float = 1800.0
    models_folder: str = "/models"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read POSE_ENGINE, POSE_ENGINES, POSE_MAX_*, POSE_QUEUE_*, POSE_VIDEO_*, POSE_*_SECONDS, POSE_MODELS (see
        the README).

        An empty variable counts as absent, because Compose passes unset ones as empty.
        Raises SettingsError that names the variable and what it may hold.
        """

        def whole(name: str, default: int) -> int:
            return _positive(environment, name, int, default)

        def real(name: str, default: float) -> float:
            return _positive(environment, name, float, default)

        settings = cls(
            engine=_engine(environment),
            engines=whole("POSE_ENGINES", cls.engines),
            max_upload_bytes=int(real("POSE_MAX_UPLOAD_MB", cls.max_upload_bytes / MEBIBYTE) * MEBIBYTE),
            max_pixels=whole("POSE_MAX_PIXELS", cls.max_pixels),
            max_people=whole("POSE_MAX_PEOPLE", cls.max_people),
            max_passes=whole("POSE_MAX_PASSES", cls.max_passes),
            queue_length=whole("POSE_QUEUE_LENGTH", cls.queue_length),
            queue_seconds=real("POSE_QUEUE_SECONDS", cls.queue_seconds),
            deadline_seconds=real("POSE_DEADLINE_SECONDS", cls.deadline_seconds),
            upload_seconds=real("POSE_UPLOAD_SECONDS", cls.upload_seconds),
            send_seconds=real("POSE_SEND_SECONDS", cls.send_seconds),
            start_seconds=real("POSE_START_SECONDS", cls.start_seconds),
            max_video_bytes=int(real("POSE_VIDEO_MAX_UPLOAD_MB", cls.max_video_bytes / MEBIBYTE) * MEBIBYTE),
            video_seconds=real("POSE_VIDEO_MAX_SECONDS", cls.video_seconds),
            video_frames=whole("POSE_VIDEO_MAX_FRAMES", cls.video_frames),
            video_pixels=whole("POSE_VIDEO_MAX_PIXELS", cls.video_pixels),
            video_deadline_seconds=real("POSE_VIDEO_DEADLINE_SECONDS", cls.video_deadline_seconds),
            models_folder=environment.get("POSE_MODELS") or cls.models_folder,
        )
        if max(settings.engines, 1) + settings.queue_length > MAX_INSIDE:
            raise SettingsError(f"POSE_ENGINES + POSE_QUEUE_LENGTH: use at most {MAX_INSIDE} together")
        return settings


def _engine(environment: Mapping[str, str]) -> str:
    name = environment.get("POSE_ENGINE") or Settings.engine
    if name not in ENGINES:
        raise SettingsError(f"POSE_ENGINE={name!r}: use one of {', '.join(ENGINES)}")
    return name


def _positive(environment: Mapping[str, str], name: str, convert: Callable[[str], Number], default: Number) -> Number:
    text = environment.get(name)
    if not text:
        return default
    message = f"{name}={text!r}: use a number above 0"
    try:
        number = convert(text)
    except ValueError as error:
        raise SettingsError(message) from error
    if not 0 < number < float("inf"):
        raise SettingsError(message)
    return number
