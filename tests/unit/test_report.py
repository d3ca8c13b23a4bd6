"""Results for people and for programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cache_parts
import pytest

from layerstack import report
from layerstack.build import text as build_text
from layerstack.build.buildlog import Step
from layerstack.build.record import BuildRecord, ImageRecord, StepRecord
from layerstack.cache import text as cache_text
from layerstack.cache.cache_forecast import Forecast
from layerstack.cache.cache_report import CachedImage, CacheReport, Group
from layerstack.cache.cached_steps import CachedStep
from layerstack.dockerfile.recipe import RecipeLine
from layerstack.engine import text as engine_text
from layerstack.engine.cache_records import CacheUse
from layerstack.engine.images import Layer, StoredImage
from layerstack.rebuild import text as rebuild_text
from layerstack.rebuild.rebuild import Rebuild, Run
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


def test_a_long_cell_is_neither_cut_nor_wrapped_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    report.print_table(("a", "b"), [("x" * 100, "y" * 100)])
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["a", "b"]
    assert row.split() == ["x" * 100, "y" * 100]


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


def test_nothing_to_build_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    fresh = tuple(ImageRecord(image=name, action="fresh") for name in ("base", "web"))
    build_text.print_build(BuildRecord(images=fresh))
    both = capsys.readouterr()
    assert both.out == ""
    assert len(both.err.splitlines()) == 1
    assert "base, web" in both.err


def test_images_that_were_kept_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    images = (ImageRecord(image="base", action="kept"), ImageRecord(image="web", action="fresh"))
    build_text.print_build(BuildRecord(images=images))
    both = capsys.readouterr()
    assert both.out == ""
    assert len(both.err.splitlines()) == 1
    assert "base" in both.err


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
    assert all(word in here for word in ("base:latest", "12 MB", "2026-11-20 10:11", "node:18"))
    assert "not here" in gone


def test_the_cache_shows_images_with_their_steps_and_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    held = cache_parts.record("held", size=12_000_000, is_shared=True)
    line = RecipeLine("RUN", ODD.removeprefix("RUN "), 7)
    steps = tuple(CachedStep("deps", line, layer, kept) for layer, kept in ((True, held), (True, None), (False, None)))
    image = CachedImage("base", "base:latest", True, steps, Forecast("at-risk", "little room [x]"), frozenset({"held"}))
    group = Group("cache mount", "/cache/[x]", (held,))
    cache_text.print_cache(
        CacheReport(CacheUse((held,)), cache_parts.builder(), (image,), (group,), 5_000_000, "{keep}")
    )
    both = capsys.readouterr()
    rows = both.out.splitlines()
    assert all(word in rows[1] for word in ("base:latest", "at-risk"))
    assert all(word in rows[2] for word in (f"deps:7 {ODD}", "12 MB", "next GC drops it", "2026-11-20 12:00"))
    assert rows[3].rstrip().endswith("lost")
    assert rows[4].rstrip().endswith("lost, not needed")
    assert "/cache/[x]" in both.out
    for words in ("the next one drops 5 MB", "base:latest: at-risk: little room [x]", "daemon.json", "{keep}"):
        assert words in both.err


@pytest.mark.parametrize(("size", "text"), [(5_000_000, "data, 5 MB"), (0, "data, 0 MB"), (None, "data")])
def test_a_volume_is_named_with_its_size_when_it_is_known(size: int | None, text: str) -> None:
    assert run_text.volume_text(Volume("data", size)) == text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_a_character_gets_a_question_mark(encoding: str) -> None:
    code = (
        "from layerstack.report import mark, print_table, say, tolerate_any_text\n"
        "tolerate_any_text()\n"
        "print_table(('what',), [(f'{mark(True)} caf\\u00e9 \\u2192 \\u6587',)])\n"
        "say('\\u2192')\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert b"? caf" in done.stdout
    assert done.stderr == b"?\n"
