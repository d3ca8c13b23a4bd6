"""Quotes, escapes and variables as BuildKit's shell lexer reads them; the values are those of its own tests."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack.dockerfile import shell_words

VALUES = {"A": "abcabc", "B": "two", "EMPTY": "", "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("plain", "plain"),
        ('s"r"c', "src"),
        (r"a\ b", "a b"),
        ("'$B'", "$B"),
        ('"$B"', "two"),
        (r'"\$B"', "$B"),
        (r'"a\b"', r"a\b"),
        (r"\$B", "$B"),
        ("$B.txt", "two.txt"),
        ("$NOPE", ""),
        ("${B}", "two"),
        ("${NOPE:-${B}}", "two"),
        ("${NOPE:-'$B'}", "$B"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${B:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${B:?must be there}", "two"),
        ("${A#a*c}", "abc"),
        ("${A##a*c}", ""),
        ("${A%b*}", "abca"),
        ("${A%%b*}", "a"),
        ("${A/b/x}", "axcabc"),
        ("${A//b/x}", "axcaxc"),
        (r"${PATH//\//_}", "_usr_bin:_bin"),
        ("$", "$"),
        ("a$ b", "a$ b"),
        ("$1x", "x"),
        ("<<EOF", "<<EOF"),
    ],
)
def test_words(word: str, expected: str) -> None:
    assert shell_words.fill(word, VALUES).text == expected


@pytest.mark.parametrize("word", ["'a", '"a', "${B", "${}", "${:x}", "${EMPTY:?}", "${NOPE?}", "${B:x}", "${B|x}"])
def test_what_ends_a_build_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        shell_words.fill(word, VALUES)


def test_another_escape_character() -> None:
    assert shell_words.fill("a` b\\c", {}, "`").text == "a b\\c"


def test_only_variables_that_matter_are_missing() -> None:
    assert shell_words.fill("${B:-$NOPE}", VALUES).missing == frozenset()
    assert shell_words.fill("${EMPTY:-$NOPE}$OTHER", VALUES).missing == {"NOPE", "OTHER"}


def test_the_variables_of_a_text() -> None:
    assert shell_words.variables("${A:-$B} ${C#x} '$D' $1") == {"A", "B", "C", "D"}


@given(st.text(st.sampled_from("ab $\\'\"{}:-+?#%/<"), max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        shell_words.fill(text, VALUES)
