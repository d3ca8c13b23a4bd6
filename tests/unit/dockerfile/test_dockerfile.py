"""Dockerfiles as BuildKit's own parser splits them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack.dockerfile import dockerfile
from layerstack.dockerfile.dockerfile import Dockerfile
from layerstack.errors import UsageError


def parse(text: str, **arguments: str) -> Dockerfile:
    return dockerfile.parse(text, Path("Dockerfile"), arguments)


def listed(text: str) -> list[tuple[str, str, int]]:
    return [(one.keyword, one.text, one.line) for one in dockerfile.instructions(text)]


def test_instructions_keep_their_first_line() -> None:
    assert listed("# top\nFROM a\n\n  run   b\nCOPY . .\n") == [("FROM", "a", 2), ("RUN", "b", 4), ("COPY", ". .", 5)]


def test_a_continuation_passes_over_comments_and_empty_lines() -> None:
    text = "FROM a\nRUN one && \\\n# why\n   \\\n\n    # more\n  two \\\n\n  three\nUSER b\n"
    assert listed(text)[1:] == [("RUN", "one && two three", 2), ("USER", "b", 10)]


def test_a_backslash_before_spaces_continues_too() -> None:
    assert listed("FROM a\nRUN b \\  \n  c\n")[1] == ("RUN", "b c", 2)


def test_a_continuation_at_the_end_of_the_file_ends_there() -> None:
    assert listed("FROM a\nRUN b \\\n") == [("FROM", "a", 1), ("RUN", "b", 2)]


def test_the_escape_directive_changes_the_continuation() -> None:
    text = "# escape=`\nFROM a\nRUN dir C:\\\nRUN b `\n  c\n"
    assert listed(text)[1:] == [("RUN", "dir C:\\", 3), ("RUN", "b c", 4)]


def test_a_directive_after_another_comment_is_a_comment() -> None:
    assert listed("# hello\n# escape=`\nFROM a\nRUN b \\\n c\n")[1:] == [("RUN", "b c", 4)]


@pytest.mark.parametrize(
    ("text", "directives"),
    [
        ("# syntax=a/b:1\n#escape = `\nFROM a\n", {"syntax": "a/b:1", "escape": "`"}),
        ("#!/usr/bin/env docker\n# check=skip=all\nFROM a\n", {"check": "skip=all"}),
        ("# hello\n# escape=`\nFROM a\n", {}),
        ("FROM a\n# escape=`\n", {}),
        ("# version=2\n# escape=`\nFROM a\n", {}),
        ("#!/usr/bin/env docker\n# escape=`\nFROM a\n", {}),
        ("\n# escape=`\nFROM a\n", {}),
        ("  # Escape=`\nFROM a\n", {"escape": "`"}),
        ("  # syntax=a/b:1\nFROM a\n", {}),
    ],
)
def test_directives_stand_before_everything_else(text: str, directives: dict[str, str]) -> None:
    assert parse(text).directives == directives


def test_an_escape_directive_after_a_check_counts() -> None:
    text = "# check=skip=all\n# escape=`\nFROM a\nCOPY b `\n  c\n"
    assert listed(text)[1:] == [("COPY", "b c", 4)]
    assert parse(text).escape == "`"


@pytest.mark.parametrize(
    ("target", "index"), [("", 2), ("X", 0), ("x", 0), ("1", None), ("stage-1", None), ("nope", None)]
)
def test_a_target_is_the_name_of_a_stage(target: str, index: int | None) -> None:
    stage = parse("FROM a AS x\nFROM b\nFROM c AS y\n").stage(target)
    assert (stage.index if stage else None) == index


def test_an_instruction_inside_an_onbuild_is_read_with_its_heredoc() -> None:
    [_, one, last] = dockerfile.instructions('FROM a\nONBUILD COPY --from="x" << E /d\none << two\nE\nRUN b\n')
    assert one.trigger
    assert (one.trigger.keyword, one.trigger.line, one.trigger.heredocs) == ("COPY", 2, ("one << two\n",))
    assert one.trigger.sources == (("x", False),)
    assert (last.keyword, last.line) == ("RUN", 5)


@pytest.mark.parametrize("before", ["\\\n", " \\ \n# c\n", "\\\n\n"])
def test_a_line_that_only_goes_on_may_stand_before_an_onbuild(before: str) -> None:
    [_, one] = dockerfile.instructions(f"FROM a\n{before}ONBUILD RUN b\n")
    assert one.trigger
    assert one.trigger.keyword == "RUN"


@pytest.mark.parametrize(
    ("mount", "options"),
    [
        ("type=bind,Target=/m,ro", {"type": "bind", "target": "/m", "ro": "true"}),
        ('"target=/a,b",source=c', {"target": "/a,b", "source": "c"}),
        ('"target=/a ""b""",source=', {"target": '/a "b"', "source": ""}),
        ("target=/a\rb", {"target": "/a\rb"}),
        ('target=/a"b,source=c', {"target": '/a"b', "source": "c"}),
        ("", {}),
    ],
)
def test_options_of_a_mount(mount: str, options: dict[str, str]) -> None:
    [_, one] = dockerfile.instructions(f"FROM a\nRUN --mount='{mount}' true\n")
    assert one.mounts == (options,)


def test_a_tab_after_the_keyword_is_a_separator() -> None:
    assert listed("FROM\ta\nRUN\tb c\n") == [("FROM", "a", 1), ("RUN", "b c", 2)]


@pytest.mark.parametrize(
    ("opening", "body", "closing"),
    [
        ("<<EOF", "  FROM x\n# not a comment\n", "EOF"),
        ("<<-EOF", "\t\tcat\n", "\tEOF"),
        ("<<'E.O_F'", "$x\n", "E.O_F"),
        ('<<"end"', "a \\\nb\n", "end"),
    ],
)
def test_a_heredoc_is_not_read_as_instructions(opening: str, body: str, closing: str) -> None:
    found = list(dockerfile.instructions(f"FROM a\nRUN {opening}\n{body}{closing}\nCMD c\n"))
    assert [one.keyword for one in found] == ["FROM", "RUN", "CMD"]
    assert found[1].heredocs == (body,)
    assert found[2].line == 4 + body.count("\n")


def test_two_heredocs_follow_in_their_order() -> None:
    copy = list(dockerfile.instructions("FROM a\nCOPY <<one <<two /x/\n1\none\n2\ntwo\nRUN b\n"))
    assert copy[1].heredocs == ("1\n", "2\n")
    assert (copy[2].keyword, copy[2].line) == ("RUN", 7)


def test_shifted_words_outside_run_copy_add_are_no_heredocs() -> None:
    assert [one[0] for one in listed("FROM a\nENV X=<<EOF\nRUN b\n")] == ["FROM", "ENV", "RUN"]


def test_stages_have_names_numbers_and_their_own_steps() -> None:
    parsed = parse(
        "FROM a AS deps\nRUN x\nENV y=1\nFROM b\nWORKDIR /w\nFROM deps as Runtime\nCOPY . .\nADD q .\nCMD c\n"
    )
    assert [(one.index, one.name, one.base, one.line) for one in parsed.stages] == [
        (0, "deps", "a", 1),
        (1, "stage-1", "b", 4),
        (2, "Runtime", "deps", 6),
    ]
    assert [[one.keyword for one in stage.steps] for stage in parsed.stages] == [["RUN"], ["WORKDIR"], ["COPY", "ADD"]]


def test_only_the_stages_that_a_target_needs_are_reachable() -> None:
    parsed = parse(
        "FROM a AS deps\nFROM a AS tools\nFROM deps AS build\nCOPY --from=0 /x /x\n"
        "RUN --mount=type=bind,from=tools,target=/t --mount=type=cache,target=/c make\n"
        "FROM a AS unused\nFROM scratch AS runtime\nCOPY --chown=1:1 --from=build /o /o\nFROM runtime AS test\n"
    )
    assert [one.name for one in parsed.reachable("runtime")] == ["deps", "tools", "build", "runtime"]
    assert [one.name for one in parsed.reachable("deps")] == ["deps"]
    assert [one.name for one in parsed.reachable()] == ["deps", "tools", "build", "runtime", "test"]
    assert parsed.reachable("nope") == ()


def test_a_base_of_the_same_name_as_its_own_stage_is_an_outside_image() -> None:
    parsed = parse("FROM node AS node\nRUN x\nFROM node\n")
    assert [one.index for one in parsed.reachable()] == [0, 1]
    assert [one.index for one in parsed.reachable("node")] == [0]


@pytest.mark.parametrize(
    ("line", "arguments", "base"),
    [
        ("FROM $BASE", {}, "alpine"),
        ("FROM ${BASE}:3", {}, "alpine:3"),
        ("FROM $BASE", {"BASE": "debian"}, "debian"),
        ("FROM ${OTHER:-busybox}", {}, "busybox"),
        ("FROM ${OTHER:-busybox}", {"OTHER": "tiny"}, "tiny"),
        ("FROM --platform=$BUILDPLATFORM ${BASE} AS x", {}, "alpine"),
        ('FROM "$BASE"', {}, "alpine"),
        ("FROM ${OTHER:-${BASE}}", {}, "alpine"),
        ("FROM ${OTHER:?}", {"OTHER": "tiny"}, "tiny"),
        ("FROM x$UNDECLARED", {"UNDECLARED": "y"}, "x"),
    ],
)
def test_arguments_in_from(line: str, arguments: dict[str, str], base: str) -> None:
    parsed = parse(f'ARG BASE="alpine"\nARG OTHER\n{line}\n', **arguments)
    assert parsed.stages[0].base == base


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("RUN x\nFROM a\n", 1),
        ("FROM a\nFROM b c d\n", 2),
        ("# only\n\n", None),
        ("", None),
        ("FROM a\n\\\n", " line 2"),
    ],
)
def test_what_cannot_be_a_dockerfile_is_refused_with_its_place(text: str, line: int | str | None) -> None:
    with pytest.raises(UsageError, match="Dockerfile:" + str(line) if line else "Dockerfile has no FROM"):
        parse(text)


def test_a_required_argument_that_is_not_there_is_named_with_its_line() -> None:
    with pytest.raises(UsageError, match=r"Dockerfile:2: .*must be given"):
        parse("ARG IMAGE\nFROM ${IMAGE:?must be given}\n")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=str(tmp_path / "Dockerfile")):
        dockerfile.read(tmp_path / "Dockerfile")


def test_a_file_with_a_mark_odd_bytes_and_windows_line_ends_is_read(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(b"\xef\xbb\xbfFROM a\r\nLABEL x=\xff\r\nRUN b \\\r\n c\r\n")
    [stage] = dockerfile.read(path).stages
    assert [(one.keyword, one.line) for one in stage.instructions] == [("LABEL", 2), ("RUN", 3)]
    assert stage.steps[0].text == "b c"


@given(st.lists(st.lists(st.sampled_from(["RUN a", "COPY b c", "ENV d=e", "RUN f \\\n  g"]), max_size=4), min_size=1))
def test_every_instruction_is_found_on_its_line_in_its_stage(bodies: list[list[str]]) -> None:
    text = "\n\n".join("\n".join([f"FROM s{index}", *body]) for index, body in enumerate(bodies))
    lines = text.splitlines()
    parsed = parse(text)
    assert [len(stage.instructions) for stage in parsed.stages] == [len(body) for body in bodies]
    for stage in parsed.stages:
        assert all(lines[one.line - 1].startswith(one.keyword) for one in stage.instructions)
