"""Settings, read once from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Number = TypeVar("Number", int, float)
MEBIBYTE = 1024 * 1024
ENGINES = ("auto", "mediapipe", "hmr2")


class SettingsError(ValueError):
    """An environment variable holds something that the service cannot use."""


@dataclass(frozen=True)
class Settings:
    """What the operator may change; every field has a variable of its own (see `from_environment`)."""

    engine: str = "auto"
    max_upload_bytes: int = 32 * MEBIBYTE
    max_pixels: int = 50_000_000
    concurrency: int = 2
    queue_length: int = 16
    queue_seconds: float = 20.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read POSE_ENGINE, POSE_MAX_UPLOAD_MB, POSE_MAX_PIXELS, POSE_CONCURRENCY, POSE_QUEUE_{LENGTH,SECONDS}.

        An empty variable counts as absent, because Compose passes unset ones as empty.
        Raises SettingsError that names the variable and what it may hold.
        """
        return cls(
            engine=_engine(environment),
            max_upload_bytes=int(_positive(environment, "POSE_MAX_UPLOAD_MB", float, 32.0) * MEBIBYTE),
            max_pixels=_positive(environment, "POSE_MAX_PIXELS", int, cls.max_pixels),
            concurrency=_positive(environment, "POSE_CONCURRENCY", int, cls.concurrency),
            queue_length=_positive(environment, "POSE_QUEUE_LENGTH", int, cls.queue_length),
            queue_seconds=_positive(environment, "POSE_QUEUE_SECONDS", float, cls.queue_seconds),
        )


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
