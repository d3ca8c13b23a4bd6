"""Which COPY takes what does not belong into an image, and that the lines it advises keep exactly that out."""

from pathlib import Path

import pytest
from compose_project import load

from layerstack.dockerfile import ignore_rules
from layerstack.doctor.context_lint import check_contexts, find_unwanted, ignore_lines
from layerstack.finding import Finding

COPY_ALL = "FROM scratch\nCOPY package.json ./\nCOPY . .\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (".env", ".git/HEAD", ".venv/pyvenv.cfg", "node_modules/x/i.js", "web/node_modules/y", "src/a.py"):
        path = tmp_path / "ctx" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    return tmp_path


def check(root: Path, dockerfile: str = COPY_ALL, ignore: str | None = None) -> list[Finding]:
    (root / "ctx/Dockerfile").write_text(dockerfile)
    if ignore is not None:
        (root / "ctx/.dockerignore").write_text(ignore)
    return list(check_contexts(*load(root, "services: { app: { build: ./ctx } }")))


def test_a_copy_of_everything_is_named_with_its_line(root: Path) -> None:
    (found,) = check(root)
    assert (found.check, found.severity, found.place) == ("context-takes-all", "warning", "ctx/Dockerfile:3")
    assert "ctx/.dockerignore" in found.remedy


@pytest.mark.parametrize("line", ["ADD web ./", "COPY src ./web/ /app/", 'COPY ["/web", "/app"]'])
def test_a_copy_of_a_folder_takes_what_is_inside_it(root: Path, line: str) -> None:
    (found,) = check(root, f"FROM scratch\n{line}\n")
    assert (found.severity, found.place) == ("warning", "ctx/Dockerfile:2")
    assert "web/node_modules" in found.detail
    assert ".venv" not in found.detail


def test_the_advised_lines_end_it(root: Path) -> None:
    lines = ignore_lines(list(find_unwanted(root / "ctx", ())))
    assert lines == ["**/node_modules", ".env", ".git", ".venv"]
    assert [one.severity for one in check(root, ignore="\n".join(lines))] == ["ok"]
    assert not ignore_rules.is_left_out(ignore_rules.parse_patterns("\n".join(lines), root), "src/a.py")


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM scratch\nCOPY src ./\n",
        "FROM scratch\nCOPY web/node_modules .env ./\n",
        "FROM scratch\nCOPY we* ./\n",
        "# syntax=docker/dockerfile:1.7-labs\nFROM scratch\nCOPY --exclude=node_modules web ./\n",
        "FROM scratch\nCOPY $FILES ./\n",
        "FROM scratch AS one\nFROM scratch\nCOPY --from=one . .\n",
        "FROM scratch AS unused\nCOPY . .\nFROM scratch\nCOPY src .\n",
        "# syntax=docker/dockerfile:1.7-labs\nFROM scratch\nCOPY --exclude=**/node_modules --exclude=.* . .\n",
    ],
)
def test_a_part_another_stage_and_what_is_excluded_are_left_alone(root: Path, dockerfile: str) -> None:
    assert [one.severity for one in check(root, dockerfile)] == ["ok"]


@pytest.mark.parametrize(
    "instruction",
    [
        "ADD ./ /app/",
        'COPY [".", "/app"]',
        "COPY --chown=1:1 . /app",
        "COPY ./. /app",
        "COPY 'src/..' /app",
        "ADD ./* /app/",
    ],
)
def test_every_way_to_write_everything_is_known(root: Path, instruction: str) -> None:
    assert [one.severity for one in check(root, f"FROM scratch\n{instruction}\n")] == ["warning"]


def test_a_list_of_what_is_let_in_needs_nothing(root: Path) -> None:
    assert [one.severity for one in check(root, ignore="*\n!src\n!package.json\n")] == ["ok"]


def test_a_folder_that_is_only_called_venv_is_no_environment(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    assert list(find_unwanted(tmp_path, ())) == []
