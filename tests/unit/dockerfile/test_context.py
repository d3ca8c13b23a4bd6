"""What of a folder is part of the build context. The cases were compared with what BuildKit receives."""

import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack.dockerfile import context, ignore_rules
from layerstack.dockerfile.context import Context
from layerstack.errors import UsageError

TREE = ("a/b/x.py", "a/y.js", "lib/deep/x.py", "lib/x.py", "src/a.py", "src/a/x.py", "x.py", "z.log", ".env", "a b/c")


def make(folder: Path, files: tuple[str, ...] = TREE) -> None:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def kept(folder: Path, *rules: str) -> set[str]:
    """The files that are left."""
    patterns = ignore_rules.parse_patterns("\n".join(rules) + "\n", Path("rules"))
    return {entry.path for entry in context.walk(folder, patterns) if not entry.is_folder}


def paths(folder: Path) -> list[str]:
    return [entry.path for entry in context.walk(folder)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    make(tmp_path / "tree")
    return tmp_path / "tree"


ALL = set(TREE)
CASES = [
    ((), ALL),
    (("# src", "", "   "), ALL),
    (("*",), set()),
    (("**",), set()),
    (("*", "!src"), {"src/a.py", "src/a/x.py"}),
    (("*", "!src/**"), {"src/a.py", "src/a/x.py"}),
    (("*", "!src/a.py"), {"src/a.py"}),
    (("*", "!lib/deep"), {"lib/deep/x.py"}),
    (("*", "!**/deep/**"), {"lib/deep/x.py"}),
    (("*", "!src", "src/*.py"), {"src/a/x.py"}),
    (("src", "!src/a.py"), ALL - {"src/a/x.py"}),
    (("!src/a.py", "src"), ALL - {"src/a.py", "src/a/x.py"}),
    (("*.py",), ALL - {"x.py"}),
    (("**/*.py",), {name for name in TREE if not name.endswith(".py")}),
    (("**/x.py",), {name for name in TREE if not name.endswith("x.py")}),
    (("*/x.py",), ALL - {"lib/x.py"}),
    (("/x.py",), ALL - {"x.py"}),
    (("./x.py",), ALL - {"x.py"}),
    (("lib/",), ALL - {"lib/deep/x.py", "lib/x.py"}),
    (("lib/../src",), ALL - {"src/a.py", "src/a/x.py"}),
    (("  x.py  ",), ALL - {"x.py"}),
    (("?.py",), ALL - {"x.py"}),
    (("[xyz].*",), ALL - {"x.py", "z.log"}),
    (("[^x].*",), ALL - {"z.log"}),
    ((r"\.env",), ALL - {".env"}),
    (("a b",), ALL - {"a b/c"}),
    ((".*",), ALL - {".env"}),
    (("a/**/x.py",), ALL - {"a/b/x.py"}),
    (("src/a*",), ALL - {"src/a.py", "src/a/x.py"}),
    (("nothing",), ALL),
    (("*", "! src"), {"src/a.py", "src/a/x.py"}),
]


@pytest.mark.parametrize(("rules", "expected"), CASES, ids=[" ".join(rules) or "no rules" for rules, _ in CASES])
def test_ignore_rules(tree: Path, rules: tuple[str, ...], expected: set[str]) -> None:
    assert kept(tree, *rules) == expected


def test_folders_above_an_exception_come_back_with_it(tree: Path) -> None:
    patterns = ignore_rules.parse_patterns("*\n!lib/deep\n", Path("rules"))
    assert [entry.path for entry in context.walk(tree, patterns)] == ["lib", "lib/deep", "lib/deep/x.py"]


def test_parents_come_before_children_in_path_order(tree: Path) -> None:
    found = paths(tree)
    assert found == sorted(found, key=lambda path: path.split("/"))
    assert set(found) == ALL | {"a", "a/b", "a b", "lib", "lib/deep", "src", "src/a"}


def test_the_dockerfiles_own_ignore_file_goes_before_the_folders(tmp_path: Path) -> None:
    assert Context(tmp_path).ignore_file is None
    assert Context(tmp_path).patterns == ()
    (tmp_path / ".dockerignore").touch()
    assert Context(tmp_path).ignore_file == tmp_path / ".dockerignore"
    (tmp_path / "Dockerfile.dockerignore").touch()
    assert Context(tmp_path).ignore_file == tmp_path / "Dockerfile.dockerignore"
    assert Context(tmp_path, "other/Dockerfile").ignore_file == tmp_path / ".dockerignore"


@pytest.mark.parametrize(
    ("path", "rule"), [("a", (1, "*")), ("src", (0, "")), ("src/x.tmp", (5, "*/*.tmp")), ("log", (4, "log"))]
)
def test_the_rule_that_keeps_a_path_out(tmp_path: Path, path: str, rule: tuple[int, str]) -> None:
    (tmp_path / ".dockerignore").write_text("*\n!src\n!log\nlog\n  */*.tmp\n")
    assert Context(tmp_path).rule_against(path) == rule


def test_one_byte_order_mark_is_no_part_of_the_first_rule(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_bytes(b"\xef\xbb\xbfa\n")
    assert [one.text for one in Context(tmp_path).patterns] == ["a"]
    (tmp_path / ".dockerignore").write_bytes(b"\xef\xbb\xbf\xef\xbb\xbfa\n")
    assert [one.text for one in Context(tmp_path).patterns] == ["\ufeffa"]


def test_a_rule_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("ok\n[a\n")
    with pytest.raises(UsageError, match=r"\.dockerignore:2:.*`\[a`"):
        _ = Context(tmp_path).patterns


@pytest.mark.parametrize("line", ["!", "! "])
def test_an_exception_without_a_path_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError, match="rules:1"):
        ignore_rules.parse_patterns(line + "\n", Path("rules"))


def test_links_are_entries_and_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").touch()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    found = {entry.path: entry for entry in context.walk(tmp_path)}
    assert set(found) == {"real", "real/x", "link", "dangling", "loop"}
    assert [found[name].is_link for name in ("link", "dangling", "loop", "real")] == [True, True, True, False]


def test_sockets_and_pipes_are_entries(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        pipe, end = context.walk(tmp_path)
    assert (pipe.path, stat.S_ISFIFO(pipe.mode), pipe.is_file, pipe.is_socket) == ("pipe", True, False, False)
    assert (end.path, end.is_file, end.is_socket) == ("socket", False, True)


def test_odd_names_survive(tmp_path: Path) -> None:
    names = [b"with space", b"line\nend", b"caf\xe9", "日本".encode(), b"*?[x]"]
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).touch()  # noqa: PTH118
    assert {os.fsencode(path) for path in paths(tmp_path)} == set(names)


def test_entries_know_mode_and_size(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("12345")
    (tmp_path / "run.sh").chmod(0o750)
    [entry] = context.walk(tmp_path)
    assert (entry.mode & 0o7777, entry.size, entry.is_file) == (0o750, 5, True)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        list(context.walk(tmp_path / "nowhere"))


def test_an_unreadable_folder_is_named_unless_it_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree" / "secret").mkdir(parents=True)
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UsageError, match=r"secret: Permission denied"):
        paths(tmp_path / "tree")
    assert kept(tmp_path / "tree", "secret") == set()


PARTS = st.sampled_from(["a", "b", "src", "x.py", "*", "**", "?", "*.py", "[ab]", "s*"])
RULES = st.lists(
    st.tuples(st.sampled_from(["", "!"]), st.lists(PARTS, min_size=1, max_size=3)).map(
        lambda rule: rule[0] + "/".join(rule[1])
    ),
    max_size=5,
)


@given(RULES)
def test_laws_of_every_ignore_file(tmp_path_factory: pytest.TempPathFactory, rules: list[str]) -> None:
    folder = tmp_path_factory.getbasetemp() / "laws" / "tree"
    if not folder.exists():
        make(folder)
    left = kept(folder, *rules)
    assert left <= ALL
    assert kept(folder, *rules, "**") == set()
    assert kept(folder, *rules, "*", "!*") == ALL
    assert kept(folder, "# a comment", *rules, "") == left
    if not any(rule.startswith("!") for rule in rules):
        assert kept(folder, *reversed(rules)) == left


@pytest.mark.filterwarnings("ignore:Possible (nested set|set difference|set intersection|set union|set symmetric)")
@given(st.text(st.sampled_from("ab/*?.[]\\-^$+(){}|"), max_size=8))
def test_any_wildcard_gives_an_answer(pattern: str) -> None:
    ignore_rules.wildcard(pattern).match("a/b")
