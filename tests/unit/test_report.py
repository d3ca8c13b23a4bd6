"""Results for people and for programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack import report
from layerstack.run import text as run_text
from layerstack.run.stack import Volume

ROOT = Path(__file__).parents[2]


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
