"""Settings, read once from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MEBIBYTE = 1024 * 1024
ENGINES = ("auto", "mediapipe", "hmr2")
# gunicorn.conf.py has 64 threads: some stay free for /health, whatever waits.
MAX_INSIDE = 56
# int() and float() read far more than these: digits of every script, underscores, signs, exponents, nan.
WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)
REAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)
HOST = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]", re.ASCII)
# What a client may call this service without further words: itself, and its name among the stack's services.
OWN_HOSTS = ("localhost", "127.0.0.1", "[::1]", "pose-service")
# The smallest and the largest value that makes sense.
Range = tuple[float, float]
SECONDS: Range = (0.01, 3600)
MEGABYTES: Range = (0.01, 4096)
PIXELS: Range = (1, 500_000_000)


class SettingsError(ValueError):
    """An environment variable holds something that the service cannot use."""


@dataclass(frozen=True)
class Settings:
    """What the operator may change; every field has a variable of its own (see `from_environment`).

    engines: 0 for as many as there are cores (see capacity). allowed_hosts: in lower case.
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
    allowed_hosts: tuple[str, ...] = OWN_HOSTS

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the variables POSE_* (see the README).

        An empty variable counts as absent, because Compose passes unset ones as empty.
        Raises SettingsError that names the variable and what it may hold.
        """

        def whole(name: str, default: int, limits: Range) -> int:
            return int(_number(environment, name, WHOLE, default, limits))

        def real(name: str, default: float, limits: Range = SECONDS) -> float:
            return _number(environment, name, REAL, default, limits)

        def megabytes(name: str, default_bytes: int) -> int:
            return int(real(name, default_bytes / MEBIBYTE, MEGABYTES) * MEBIBYTE)

        settings = cls(
            engine=_engine(environment),
            engines=whole("POSE_ENGINES", cls.engines, (1, MAX_INSIDE - 1)),
            max_upload_bytes=megabytes("POSE_MAX_UPLOAD_MB", cls.max_upload_bytes),
            max_pixels=whole("POSE_MAX_PIXELS", cls.max_pixels, PIXELS),
            max_people=whole("POSE_MAX_PEOPLE", cls.max_people, (1, 100)),
            max_passes=whole("POSE_MAX_PASSES", cls.max_passes, (1, 10_000)),
            queue_length=whole("POSE_QUEUE_LENGTH", cls.queue_length, (1, MAX_INSIDE - 1)),
            queue_seconds=real("POSE_QUEUE_SECONDS", cls.queue_seconds),
            deadline_seconds=real("POSE_DEADLINE_SECONDS", cls.deadline_seconds),
            upload_seconds=real("POSE_UPLOAD_SECONDS", cls.upload_seconds),
            send_seconds=real("POSE_SEND_SECONDS", cls.send_seconds),
            start_seconds=real("POSE_START_SECONDS", cls.start_seconds),
            max_video_bytes=megabytes("POSE_VIDEO_MAX_UPLOAD_MB", cls.max_video_bytes),
            video_seconds=real("POSE_VIDEO_MAX_SECONDS", cls.video_seconds),
            video_frames=whole("POSE_VIDEO_MAX_FRAMES", cls.video_frames, (1, 1_000_000)),
            video_pixels=whole("POSE_VIDEO_MAX_PIXELS", cls.video_pixels, PIXELS),
            video_deadline_seconds=real("POSE_VIDEO_DEADLINE_SECONDS", cls.video_deadline_seconds, (0.01, 86_400)),
            models_folder=environment.get("POSE_MODELS") or cls.models_folder,
            allowed_hosts=_hosts(environment),
        )
        if max(settings.engines, 1) + settings.queue_length > MAX_INSIDE:
            raise SettingsError(f"POSE_ENGINES + POSE_QUEUE_LENGTH: use at most {MAX_INSIDE} together")
        return settings


def _engine(environment: Mapping[str, str]) -> str:
    name = environment.get("POSE_ENGINE") or Settings.engine
    if name not in ENGINES:
        raise SettingsError(f"POSE_ENGINE={name!r}: use one of {', '.join(ENGINES)}")
    return name


def _number(environment: Mapping[str, str], name: str, shape: re.Pattern[str], default: float, limits: Range) -> float:
    text = environment.get(name)
    if not text:
        return default
    number = float(text) if shape.fullmatch(text) else None
    if number is None or not limits[0] <= number <= limits[1]:
        kind = "a whole number" if shape is WHOLE else "a number"
        raise SettingsError(f"{name}={text!r}: use {kind} from {limits[0]:,} to {limits[1]:,}")
    return number


def _hosts(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The service's own names and those that the operator adds."""
    added = [name.strip().lower() for name in environment.get("POSE_ALLOWED_HOSTS", "").split(",")]
    for name in filter(None, added):
        if not HOST.fullmatch(name):
            raise SettingsError(
                f"POSE_ALLOWED_HOSTS: {name!r} is no host; use names or addresses without a port, separated by commas"
            )
    return tuple(dict.fromkeys((*OWN_HOSTS, *filter(None, added))))
