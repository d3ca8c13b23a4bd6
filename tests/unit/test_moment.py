"""Every form in which a time was seen, whatever its offset and its fraction."""

import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack.moment import age, epoch_seconds, local_time, read_time, seconds_ago, span_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01:00Z", 60),
        ("1970-01-01T00:01:00.25Z", 60.25),
        ("1970-01-01T00:01:00.123456789Z", 60.123456789),
        ("1970-01-01T02:01:00.123456789+02:00", 60.123456789),
        ("1970-01-01T05:31:00.5+05:30", 60.5),
        ("1969-12-31T20:31:00-03:30", 60),
        ("1970-01-01 00:01:00", 60),
        ("1970-01-01 00:01:00.91762943 +0000 UTC", 60.91762943),
        ("1970-01-01 05:46:00.9 +0545 +0545 m=+0.01", 60.9),
        ("1970-01-01t00:01:00z", 60),
        ("1970-01-01T00:00:00Z", 0),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:53:28+00:53", None),
        ("2026-13-41T00:00:00Z", None),
        ("never", None),
        ("", None),
        (None, None),
    ],
)
def test_times(text: str | None, seconds: float | None) -> None:
    assert read_time(text) == (None if seconds is None else pytest.approx(seconds, abs=1e-6))
    assert epoch_seconds(text) == pytest.approx(seconds or 0, abs=1e-6)


@given(st.integers(86_400, 2**33), st.integers(0, 999_999_999), st.integers(0, 9), st.integers(-12 * 60, 14 * 60))
def test_the_same_instant_in_any_zone_and_precision(whole: int, nanoseconds: int, digits: int, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    fraction = f"{nanoseconds:09d}"[:digits]
    local = datetime.fromtimestamp(whole, zone)
    text = f"{local:%Y-%m-%dT%H:%M:%S}{'.' + fraction if fraction else ''}{local.isoformat()[-6:]}"
    assert epoch_seconds(text) == pytest.approx(whole + float(f"0.{fraction or 0}"), abs=1e-5)


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    age(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 min"), (-60, "0 min"), (3540, "59 min"), (3 * 3600, "3 h"), (86400 * 12, "12 d")]
)
def test_an_age_is_as_short_as_a_column(seconds: float, text: str) -> None:
    then = datetime.fromtimestamp(time.time() - seconds, timezone.utc)
    assert age(then.isoformat()) == text


def test_no_time_has_no_age() -> None:
    assert age("") == age("0001-01-01T00:00:00Z") == ""


def test_a_time_is_shown_as_this_machine_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    assert local_time(read_time("2026-11-26T19:35:40.9Z")) == "2026-11-27 01:20:40"
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("seconds", [None, 1e17, -1e17, float("nan"), float("inf")])
def test_no_time_and_one_that_no_calendar_has_are_not_shown(seconds: float | None) -> None:
    assert local_time(seconds) == ""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("48h0m0s", 172_800), ("1m30s", 90), ("500ms", 0.5), ("172800", 172_800), ("0", 0), ("", 0), ("soon", 0)],
)
def test_spans(text: str, seconds: float) -> None:
    assert span_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("16 minutes ago", 960), ("About an hour ago", 3600), ("About a minute ago", 60), ("2 weeks ago", 1_209_600)],
)
def test_ages_in_words(text: str, seconds: float) -> None:
    assert seconds_ago(text) == seconds


def test_other_words_are_no_age() -> None:
    assert seconds_ago("never") is None
