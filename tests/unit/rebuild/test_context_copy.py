"""A copy of a build context: what is in it, how a file of it is changed, and that it goes away."""

import ast
import tempfile
from pathlib import Path

import pytest

from layerstack.dockerfile import context
from layerstack.dockerfile.image import Image
from layerstack.errors import CommandFailed, UsageError
from layerstack.project.project import Project
from layerstack.rebuild import context_copy
from layerstack.rebuild.context_copy import change, copied_context


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def project(root: Path) -> Project:
    return Project(root, "shop", "cpu", (), (), {"web": Image("web", "web")}, {})


@pytest.mark.parametrize("suffix", sorted(suffix for suffixes in context_copy.COMMENTS.values() for suffix in suffixes))
def test_a_change_adds_one_new_comment_line_at_the_end(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"file{suffix.upper()}"
    path.write_text("no line end")
    change(path)
    first = path.read_text()
    change(path)
    assert first.startswith("no line end\n")
    assert path.read_text().startswith(first)
    added = path.read_text().removeprefix(first).strip()
    assert added not in first
    mark = next(mark for mark, suffixes in context_copy.COMMENTS.items() if suffix in suffixes)
    opening, _, closing = mark.partition(" ")
    assert added.startswith(opening + " ")
    assert added.endswith(closing)
    assert "\n" not in added


def test_a_changed_program_still_means_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("def f():\n    return 1")
    before = ast.dump(ast.parse(path.read_text()))
    change(path)
    assert ast.dump(ast.parse(path.read_text())) == before


def test_a_read_only_file_is_changed_and_has_its_mode_again(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.touch(0o444)
    change(path, """sh -c 'stat --format %a "$0" >> "$0"'""")
    assert path.read_text() == "644\n"
    assert path.stat().st_mode & 0o777 == 0o444


def test_a_file_that_is_not_text_keeps_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_bytes(b"// caf\xe9\r\n")
    change(path)
    assert path.read_bytes().startswith(b"// caf\xe9\r\n")


def test_the_copy_is_what_the_engine_would_receive(tmp_path: Path, temporary: Path) -> None:
    source = tmp_path / "web"
    (source / "src").mkdir(parents=True)
    (source / "src" / "run.sh").write_text("echo")
    (source / "src" / "run.sh").chmod(0o751)
    (source / "src" / "link").symlink_to("nowhere")
    (source / "secret").write_text("no")
    (source / "Dockerfile").write_text("FROM scratch\n")
    (source / ".dockerignore").write_text("*\n!src\n")
    image = Image("web", "web")
    with copied_context(project(tmp_path), image) as copy:
        names = {entry.path: entry.mode for entry in context.Context(source).walk()}
        copied = {entry.path: entry.mode for entry in context.walk(copy)}
        assert copied == {**names, "Dockerfile": copied["Dockerfile"], ".dockerignore": copied[".dockerignore"]}
        assert copied["src/run.sh"] & 0o777 == 0o751
        assert (copy / "Dockerfile").read_text() == "FROM scratch\n"
        assert copy.parent == temporary
    assert list(temporary.iterdir()) == []


def test_a_dockerfile_of_another_name_and_its_own_ignore_file_come_along(tmp_path: Path, temporary: Path) -> None:
    source = tmp_path / "web"
    (source / "docker").mkdir(parents=True)
    (source / "keep").touch()
    (source / "docker" / "Web").write_text("FROM scratch\n")
    (source / "docker" / "Web.dockerignore").write_text("*\n!keep\n")
    with copied_context(project(tmp_path), Image("web", "web", "docker/Web")) as copy:
        names = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    assert names == {"keep", "docker/Web", "docker/Web.dockerignore"}


def test_the_copy_is_gone_after_a_failure(tmp_path: Path, temporary: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").touch()
    with pytest.raises(KeyboardInterrupt), copied_context(project(tmp_path), Image("web", "web")):
        raise KeyboardInterrupt
    assert list(temporary.iterdir()) == []


def test_a_command_may_make_the_change(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text("{}")
    change(path, "sed -i s/{}/[]/")
    assert path.read_text() == "[]"


def test_a_command_may_be_a_script_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "copy").mkdir()
    path, script = tmp_path / "copy" / "data.json", tmp_path / "edit.sh"
    path.write_text("{}")
    script.write_text('#!/bin/sh\necho "[]" > "$1"\n')
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    change(path, "./edit.sh")
    assert path.read_text() == "[]\n"


def test_a_change_that_changes_no_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x")
    with pytest.raises(UsageError, match="touch"):
        change(path, "touch")


def test_a_change_that_fails_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x")
    with pytest.raises(CommandFailed):
        change(path, "false")
