"""Settings from the environment."""

from __future__ import annotations

import pytest

from pose_service.settings import Settings, SettingsError


def test_nothing_set_gives_the_documented_defaults() -> None:
    assert Settings.from_environment({}) == Settings("auto", 32 * 1024 * 1024, 50_000_000, 2, 16, 20.0)


def test_empty_counts_as_not_set() -> None:
    names = ("ENGINE", "MAX_UPLOAD_MB", "MAX_PIXELS", "CONCURRENCY", "QUEUE_LENGTH", "QUEUE_SECONDS")
    assert Settings.from_environment({f"POSE_{name}": "" for name in names}) == Settings()


def test_every_variable_is_read() -> None:
    environment = {
        "POSE_ENGINE": "mediapipe",
        "POSE_MAX_UPLOAD_MB": "0.5",
        "POSE_MAX_PIXELS": "1000",
        "POSE_CONCURRENCY": "4",
        "POSE_QUEUE_LENGTH": "8",
        "POSE_QUEUE_SECONDS": "1.5",
    }
    assert Settings.from_environment(environment) == Settings("mediapipe", 512 * 1024, 1000, 4, 8, 1.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSE_ENGINE", "phalp"),
        ("POSE_ENGINE", "AUTO "),
        ("POSE_MAX_UPLOAD_MB", "big"),
        ("POSE_MAX_UPLOAD_MB", "-1"),
        ("POSE_MAX_PIXELS", "1e6"),
        ("POSE_CONCURRENCY", "0"),
        ("POSE_QUEUE_SECONDS", "nan"),
        ("POSE_QUEUE_SECONDS", "inf"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({name: value})
