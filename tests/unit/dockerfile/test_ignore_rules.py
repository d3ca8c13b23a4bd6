"""How a pattern is compared, as moby/patternmatcher and Go's filepath.Match do it."""

from pathlib import Path

import pytest

from layerstack.dockerfile import copy_sources, ignore_rules
from layerstack.dockerfile.copy_sources import Source
from layerstack.errors import UsageError


@pytest.mark.parametrize(
    ("line", "kind", "matched", "other"),
    [
        ("dist", "exact", "dist", "x/dist"),
        ("^dist", "exact", "^dist", "dist"),
        ("a.b", "exact", "a.b", "axb"),
        ("**/a", "suffix", "x/a", "xa"),
        ("**.py", "suffix", "x/y.py", "y.pyc"),
        ("**", "suffix", "x/y", ""),
        ("a/**", "prefix", "a/b/c", "b/a"),
        ("a**", "prefix", "ab/c", "ba"),
        ("**/a*", "expression", "x/y/ab", "x/ba/c"),
        ("[[:alpha:]]", "expression", "q", "1"),
        ("[[:digit:]x]", "expression", "7", "y"),
        ("[a-c]", "expression", "b", "d"),
        (r"\*", "expression", "*", "a"),
        (r"\d", "expression", "7", "٧"),
        ("a?", "expression", "ab", "a/"),
        ("*a|b", "expression", "x/b", "c"),
        ("a{2}*", "expression", "aab", "a{2}b"),
        ("a{2}", "exact", "a{2}", "aa"),
        ("/a", "exact", "/a", "a"),
    ],
)
def test_match_types(line: str, kind: str, matched: str, other: str) -> None:
    pattern = ignore_rules.parse_pattern(line)
    assert pattern.kind == kind
    assert pattern.matches(matched)
    assert not pattern.matches(other) or (kind, other) == ("suffix", "")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("/a", "a"),
        ("//a", "a"),
        ("/ a", "a"),
        ("a /", "a"),
        (" ! /a", "a"),
        ("! / a", " a"),
        ("! a /", "a"),
        ("/", "/"),
    ],
)
def test_a_rule_counts_from_the_root_of_the_context(rule: str, text: str) -> None:
    """BuildKit trims a rule when it reads the file, and once more when it compares it."""
    assert [one.text for one in ignore_rules.parse_patterns(rule, Path("rules"))] == [text]


def test_a_rule_of_which_nothing_is_left_is_none() -> None:
    assert ignore_rules.parse_patterns("/ /\n\ta\n", Path("rules")) == (ignore_rules.parse_pattern("a"),)


@pytest.mark.parametrize("line", [r"\pLx", r"\Qa\E", r"\z", "[[:^alpha:]]", r"\sx", r"\Z", "\\é"])
def test_what_only_go_knows_is_not_guessed(line: str) -> None:
    assert not ignore_rules.is_valid(line)


def test_an_exception_with_two_expressions_may_match_below_every_folder() -> None:
    assert ignore_rules.parse_pattern("!x/*|b").may_match_below("y")


@pytest.mark.parametrize("line", ["[x-]", "[-x]", "[]a]", "[a-b-c]", "\\", "!/", "[a", "[^]", "[\\", "[b-a]"])
def test_what_buildkit_refuses_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(UsageError, match=r"rules:2"):
        ignore_rules.parse_patterns(f"ok\n{line}\n", Path("rules"))


def test_lines_end_at_line_feeds_only() -> None:
    [first, second] = ignore_rules.parse_patterns("a\x0bb\r\n c \n", Path("rules"))
    assert (first.text, second.text) == ("a\x0bb", "c")


@pytest.mark.parametrize(
    ("pattern", "matched", "other"),
    [("*.txt", "a.txt", "d/a.txt"), ("d/**/x", "d/e/x", "d/e/f/x"), (r"\[x]", "[x]", "x"), ("[^a]", "b", "a")],
)
def test_a_source_of_copy_has_no_double_star(pattern: str, matched: str, other: str) -> None:
    expression = ignore_rules.wildcard(pattern)
    assert expression.match(matched)
    assert not expression.match(other)


FILES = ["a", "a/n.md", "a/n.txt", "a/d", "a/d/m.md", "x.md", "y.txt"]


@pytest.mark.parametrize(
    ("source", "read"),
    [
        (Source("", "a", ("*.md",)), {"a", "a/n.txt", "a/d", "a/d/m.md"}),
        (Source("", "a", ("**/*.md",)), {"a", "a/n.txt", "a/d"}),
        (Source("", ".", ("*.md", "a")), {"y.txt"}),
        (Source("", ".", ("a", "!a/n.txt")), {"a/n.txt", "x.md", "y.txt"}),
        # What a wildcard names itself is compared as nothing: only what lies below it can be left out.
        (Source("", "*.md", ("*.md",)), {"x.md"}),
        (Source("", ".", (), ("a/d/*.md",)), {"a", "a/d", "a/d/m.md"}),
        (Source("", "a", (), ("d",)), {"a", "a/d", "a/d/m.md"}),
    ],
)
def test_exclude_and_parents(source: Source, read: set[str]) -> None:
    assert set(copy_sources.read_by(FILES, [source])) == read


def test_many_links_are_followed_and_circles_end() -> None:
    links = {f"links/{number}": f"../files/{number}" for number in range(200)} | {"loop": "loop/x", "a": "b", "b": "a"}
    assert len(copy_sources.follow_links("links/*", links)) == 201
    assert copy_sources.follow_links("loop/y", links) == ("loop/y", "loop/x/y")
    assert set(copy_sources.follow_links("a/z", links)) == {"a/z", "b/z"}
