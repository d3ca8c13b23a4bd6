"""Results for people and for programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cache_parts
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack import report
from layerstack.build import text as build_text
from layerstack.build.buildlog import Step
from layerstack.build.record import BuildRecord, ImageRecord, StepRecord
from layerstack.cache import text as cache_text
from layerstack.cache.cache_forecast import Forecast
from layerstack.cache.cache_report import CachedImage, CacheReport, Group
from layerstack.cache.cached_steps import CachedStep
from layerstack.dockerfile.recipe_stage import RecipeLine
from layerstack.engine import text as engine_text
from layerstack.engine.cache_records import CacheUse
from layerstack.engine.images import Layer, StoredImage
from layerstack.rebuild import text as rebuild_text
from layerstack.rebuild.timed import Rebuild, Run
from layerstack.run import text as run_text
from layerstack.run.stack import Volume

ROOT = Path(__file__).parents[2]
# Would vanish, or break the printing, if it were read as markup.
ODD = "RUN grep [a-z] [/bin/sh] x [red]"


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """What a pipe gets; both streams."""
    both = capsys.readouterr()
    return both.out + both.err


def test_a_document_is_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    report.say("for people")
    report.print_json({"ok": True, "text": "é\n"})
    both = capsys.readouterr()
    assert json.loads(both.out) == {"ok": True, "text": "é\n"}
    assert both.err == "for people\n"


WIDE = ("image", "one-long-word-" + "x" * 60, "many short words " * 12, "12 MB")


@pytest.mark.parametrize("columns", [50, 80, 120])
def test_a_table_is_never_wider_than_asked_and_loses_nothing(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    report.print_table(("a", "b", "c", "size"), [WIDE], right=("size",))
    rows = capsys.readouterr().out.splitlines()
    assert all(len(row) <= columns for row in rows)
    assert all("".join(rows).count(word) == 12 for word in ("many", "short", "words"))


def test_a_pipe_is_80_columns_wide(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    report.print_table(("a", "b"), [("x", "many short words " * 20)])
    assert 70 < max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_words_stay_whole_and_short_columns_on_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    report.print_table(("image", "size", "cause"), [("registry/some-image:tag", "12 MB", "short words " * 9)])
    text = capsys.readouterr().out
    assert "registry/some-image:tag" in text
    assert "12 MB" in text


def test_a_spare_column_goes_before_a_word_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    row = ("registry/some-image:tag", "2 h", "stand-in/node:18-bookworm")
    report.print_table(("image", "age", "built on"), [row], spare=("age", "built on"))
    assert capsys.readouterr().out.split() == ["image", "age", "registry/some-image:tag", "2", "h"]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b[2Jb\x1b]0;t\x07", r"a\x1b[2Jb\x1b]0;t\x07"),
        ("50 %\r100 %\r\nnext\ttab", "50 %\\x0d100 %\nnext\ttab"),
        ("file\u202egnp.exe", r"file\u202egnp.exe"),
        ("\x9b2J", r"\x9b2J"),
        ("café → 文", "café → 文"),
    ],
)
def test_nothing_in_a_text_is_executed(text: str, safe: str) -> None:
    assert report.shown(text) == safe


@given(st.text())
def test_any_text_is_printed_without_control_characters(text: str) -> None:
    assert all(one in "\n\t" or ord(one) >= 32 for one in report.shown(text))


def test_a_table_shows_escape_sequences_and_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    report.print_table(("name",), [("\x1b[2Jweb",)])
    assert "\\x1b[2Jweb" in capsys.readouterr().out


@given(st.lists(st.text("abc`→ ", max_size=30), max_size=8).map(" ".join), st.integers(10, 90))
def test_wrapping_keeps_every_word_in_order(text: str, width: int) -> None:
    assert report.wrapped(text, width).split() == text.split()


def test_a_command_is_not_broken_and_the_next_line_is_indented_below_the_text() -> None:
    text = "  → Build it anew with `layerstack build web up web` and ask again"
    assert report.wrapped(text, 40).splitlines() == [
        "  → Build it anew with",
        "    `layerstack build web up web` and",
        "    ask again",
    ]


def test_a_build_shows_every_image_with_its_cause(capsys: pytest.CaptureFixture[str]) -> None:
    steps = (
        StepRecord(step="deps 2/3 RUN x", is_cached=False, seconds=2.0),
        StepRecord(step="deps 3/3 RUN y", is_cached=True, seconds=0.0),
    )
    built = ImageRecord(image="web", action="built", seconds=2.0, steps=steps, cause=ODD)
    build_text.print_build(BuildRecord(seconds=3.0, images=(ImageRecord(image="base", action="fresh"), built)))
    text = printed(capsys)
    assert ODD in text
    [row] = [line.split() for line in text.splitlines() if line.startswith("web")]
    assert row[:6] == ["web", "built", "2.0", "s", "1", "1"]
    assert "up to date: base" in text


def test_a_build_of_many_causes_says_where_all_of_them_are(capsys: pytest.CaptureFixture[str]) -> None:
    cause = "; ".join(f"file-mode: src/{number}.py 0644 → 0664" for number in range(20))
    built = [ImageRecord(image=name, action="built", cause=cause) for name in ("api", "web")]
    build_text.print_build(BuildRecord(seconds=3.0, images=tuple(built)))
    said = capsys.readouterr()
    assert "src/19.py" not in said.out
    assert "all causes: `invoke why api`, likewise web" in said.err + said.out


def test_nothing_to_build_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    fresh = tuple(ImageRecord(image=name, action="fresh") for name in ("base", "web"))
    build_text.print_build(BuildRecord(images=fresh))
    both = capsys.readouterr()
    assert both.out == ""
    assert len(both.err.splitlines()) == 1
    assert "base, web" in both.err


def test_images_that_were_kept_are_told_from_fresh_ones(capsys: pytest.CaptureFixture[str]) -> None:
    images = (ImageRecord(image="base", action="kept"), ImageRecord(image="web", action="fresh"))
    build_text.print_build(BuildRecord(images=images))
    both = capsys.readouterr()
    assert both.out == ""
    fresh, kept = both.err.splitlines()
    assert "web" in fresh
    assert "base" in kept


@pytest.mark.parametrize("is_well", [True, False])
def test_a_rebuild_shows_its_figures_and_what_failed(capsys: pytest.CaptureFixture[str], is_well: bool) -> None:
    step = Step("web", "runtime", 2, 2, "COPY . .", is_cached=False, seconds=0.2, place="web/Dockerfile:9")
    run = Run(1.25, 0.1, 0.2, 0.3, (), (step,), () if is_well else (ODD,), "sha256:1")
    rebuild = Rebuild("web", "src/a.py", (run,), 30.0, is_base_unchanged=True, is_image_changed=True)
    rebuild_text.print_rebuilds([rebuild])
    text = printed(capsys)
    assert all(word in text for word in ("web", "src/a.py", "1.25", "30 s", "COPY . .", "web/Dockerfile:9"))
    assert (ODD in text) is not is_well
    assert ("✓" in text, "✗" in text) == (is_well, not is_well)


def test_images_that_are_not_here_are_shown_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    stored = StoredImage("sha256:1", (), 12_000_000, "2026-11-20T10:11:12.5Z", {}, ())
    engine_text.print_images([Layer("base", "base:latest", stored, "node:18"), Layer("service", "web:latest", None)])
    here, gone = capsys.readouterr().out.splitlines()[1:]
    assert all(word in here for word in ("base:latest", "12 MB", " d ", "node:18"))
    assert "not here" in gone


def test_the_cache_shows_large_steps_and_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    held = cache_parts.record("held", size=12_000_000, is_shared=True)
    tiny = cache_parts.record("tiny", size=900_000, is_shared=True)
    line = RecipeLine("RUN", ODD.removeprefix("RUN "), 7)
    kept = ((True, held), (True, None), (False, None), (True, tiny), (False, held))
    steps = tuple(CachedStep("deps", line, layer, record) for layer, record in kept)
    image = CachedImage("base", "base:latest", True, steps, Forecast("at-risk", "little room [x]"), frozenset({"held"}))
    groups = (Group("cache mount", "/cache/[x]", (held,)), Group("cache mount", "/tiny", (tiny,)))
    cache_text.print_cache(CacheReport(CacheUse((held,)), cache_parts.builder(), (image,), groups, 5_000_000, "{keep}"))
    rows = [" ".join(row.split()) for row in capsys.readouterr().out.splitlines()]
    assert rows[1] == "base:latest 25 MB at risk"
    assert [row.partition(f"line 7: {ODD} ")[2].split(" ")[:2] for row in rows[2:5]] == [
        ["12", "MB"],
        ["lost"],
        ["12", "MB"],
    ]
    text = "\n".join(rows)
    assert "cache mount: /cache/[x] 12 MB" in rows
    assert "/tiny" not in text
    for words in ("removes 5 MB", "base:latest: at-risk: little room [x]", "daemon.json", "{keep}"):
        assert words in text


@pytest.mark.parametrize(("size", "text"), [(5_000_000, "data, 5 MB"), (0, "data, 0 MB"), (None, "data")])
def test_a_volume_is_named_with_its_size_when_it_is_known(size: int | None, text: str) -> None:
    assert run_text.volume_text(Volume("data", size)) == text


@pytest.mark.parametrize(
    ("encoding", "table", "said"), [("ascii", b"ok caf? -> ?", b"->\n"), ("latin-1", b"ok caf\xe9 -> ?", b"->\n")]
)
def test_a_terminal_that_lacks_a_character_gets_one_like_it(encoding: str, table: bytes, said: bytes) -> None:
    code = (
        "from layerstack.report import mark, print_table, say, tolerate_any_text\n"
        "tolerate_any_text()\n"
        "print_table(('what',), [(f'{mark(True)} caf\\u00e9 \\u2192 \\u6587',)])\n"
        "say('\\u2192')\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert table in done.stdout
    assert done.stderr == said
