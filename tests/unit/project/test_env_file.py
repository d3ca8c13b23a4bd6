"""`.env` as Compose reads it: the right side of each row was printed by Compose 2.40."""

from pathlib import Path

import pytest

from layerstack.project.env_file import expand, read_env_file


def values(path: Path, text: str, **environment: str) -> dict[str, str]:
    (path / ".env").write_text(text)
    return read_env_file(path / ".env").resolved(environment)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (r'A="bar\\"', "bar\\"),
        (r'A="a\"b\nc" # x', 'a"b\nc'),
        (r"A='it\'s $B \n'", r"it's $B \n"),
        ("A=$B/${ZZ:-def}#x #c", "b/def#x"),
        (r'A="\$B ${B}"', "$B b"),
        ("A = spaced", "spaced"),
        ('export A="multi\nline"', "multi\nline"),
        ("A: yaml", "yaml"),
        ("A=", ""),
        ("A='' # nothing", ""),
        ("A=${B:+set}", "set"),
        ("A=${ZZ:-${B}}", "b"),
        ("A=#b", "#b"),
        ("A= # b", "# b"),
        ("A=x\t#b", "x\t#b"),
        ("A=x  # b # c", "x"),
        ("A=$$B", "$B"),
        ('A="$$B"', "$B"),
        ("A='$$B'", "$$B"),
        (r"A=\$B", "\\b"),
        (r'A="\\$B"', "\\b"),
        (r'A="\$\{y\}"', r"$\{y\}"),
        (r'A="\c"', r"\c"),
        (r'A="\0101 \018 \0"', r"A \18 \ ".rstrip()),
    ],
)
def test_a_value(tmp_path: Path, line: str, value: str) -> None:
    assert values(tmp_path, f"B=b\n{line}\n")["A"] == value


def test_the_environment_goes_before_the_lines_above(tmp_path: Path) -> None:
    assert values(tmp_path, "B=b\nA=$B\n", B="outer") == {"B": "b", "A": "outer"}


@pytest.mark.parametrize("line", ["A B=c", 'A="open', "A='open"])
def test_a_line_that_compose_refuses(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"B=b\n{line}\n")
    broken = [one for one in read_env_file(tmp_path / ".env").lines if one.is_broken]
    assert [one.number for one in broken] == [2]


def test_no_file_is_an_empty_one(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / "gone").values == {}


@pytest.mark.parametrize(("text", "found"), [("$A-$B", "1-"), ("${B-x}${A+y}", "xy"), ("${E:-x}${E-x}", "x")])
def test_variables_are_filled_in(text: str, found: str) -> None:
    assert expand(text, {"A": "1", "E": ""}) == found
