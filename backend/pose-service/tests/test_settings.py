"""Settings from the environment."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from pose_service.settings import MAX_INSIDE, MEBIBYTE, OWN_HOSTS, Settings, SettingsError

SERVICE = Path(__file__).parents[1]
# Every variable with a value that is not its default, and the field that it fills.
VARIABLES = {
    "POSE_ENGINE": ("mediapipe", "engine", "mediapipe"),
    "POSE_ENGINES": ("3", "engines", 3),
    "POSE_MAX_UPLOAD_MB": ("0.5", "max_upload_bytes", MEBIBYTE // 2),
    "POSE_MAX_PIXELS": ("1000", "max_pixels", 1000),
    "POSE_MAX_PEOPLE": ("5", "max_people", 5),
    "POSE_MAX_PASSES": ("7", "max_passes", 7),
    "POSE_QUEUE_LENGTH": ("9", "queue_length", 9),
    "POSE_QUEUE_SECONDS": ("1.5", "queue_seconds", 1.5),
    "POSE_DEADLINE_SECONDS": ("2.5", "deadline_seconds", 2.5),
    "POSE_UPLOAD_SECONDS": ("3.5", "upload_seconds", 3.5),
    "POSE_SEND_SECONDS": ("7.5", "send_seconds", 7.5),
    "POSE_START_SECONDS": ("4.5", "start_seconds", 4.5),
    "POSE_VIDEO_MAX_UPLOAD_MB": ("11", "max_video_bytes", 11 * MEBIBYTE),
    "POSE_VIDEO_MAX_SECONDS": ("5.5", "video_seconds", 5.5),
    "POSE_VIDEO_MAX_FRAMES": ("12", "video_frames", 12),
    "POSE_VIDEO_MAX_PIXELS": ("13", "video_pixels", 13),
    "POSE_MODELS": ("/weights", "models_folder", "/weights"),
    "POSE_ALLOWED_HOSTS": ("Pose.example, [fe80::1]", "allowed_hosts", (*OWN_HOSTS, "pose.example", "[fe80::1]")),
    "POSE_VIDEO_DEADLINE_SECONDS": ("6.5", "video_deadline_seconds", 6.5),
}


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings()


def test_empty_counts_as_not_set() -> None:
    assert Settings.from_environment(dict.fromkeys(VARIABLES, "")) == Settings()


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_fills_its_field_and_no_other(name: str) -> None:
    text, field, value = VARIABLES[name]
    assert Settings.from_environment({name: text}) == dataclasses.replace(Settings(), **{field: value})
    assert getattr(Settings(), field) != value


def test_every_field_has_a_variable() -> None:
    assert {field.name for field in dataclasses.fields(Settings)} == {field for _, field, _ in VARIABLES.values()}


def test_the_table_here_holds_every_variable_of_the_source() -> None:
    source = (SERVICE / "pose_service" / "settings.py").read_text()
    assert set(re.findall(r'"(POSE_[A-Z_]+)"', source)) == set(VARIABLES)


NUMBERS = [name for name, (_, _, value) in VARIABLES.items() if isinstance(value, (int, float))]
# What int() or float() would read, or read as something else than a person means.
ODD_NUMBERS = (
    *("0", "-1", "+1", "1e300", "1e3", "inf", "nan", "many", "1_000", " 1", "1 ", "1,5", "0x10", "1.", ".5", "9" * 400),
    *("\uff11\uff10", "\u0661\u0660", "\u00b2", "1\n", "999999999999999"),
)


@pytest.mark.parametrize("value", ODD_NUMBERS)
@pytest.mark.parametrize("name", NUMBERS)
def test_an_odd_number_is_refused_with_the_range(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}=.*use a.* number from .* to "):
        Settings.from_environment({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSE_ENGINE", "phalp"),
        ("POSE_ENGINE", "AUTO "),
        ("POSE_ENGINES", str(MAX_INSIDE)),
        ("POSE_QUEUE_LENGTH", str(MAX_INSIDE + 1)),
        ("POSE_ALLOWED_HOSTS", "*"),
        ("POSE_ALLOWED_HOSTS", "http://pose.example"),
        ("POSE_ALLOWED_HOSTS", "pose.example:5000"),
        ("POSE_ALLOWED_HOSTS", "p\u00f6se"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({name: value})


def test_engines_and_queue_fit_together() -> None:
    with pytest.raises(SettingsError, match="together"):
        Settings.from_environment({"POSE_ENGINES": "30", "POSE_QUEUE_LENGTH": "30"})
