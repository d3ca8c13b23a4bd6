"""The rooms of pose_service: imports go down only, those inside functions included."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pose_service"
# From the ground up; a room may import itself and the rooms before it. "" are the files outside of any room.
ROOMS = ("contract", "", "media", "weights", "measuring", "finding", "following", "engines", "pool", "web")
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(parts: list[str]) -> str:
    return parts[0] if parts and (PACKAGE / parts[0]).is_dir() else ""


def imported(tree: ast.AST) -> set[str]:
    """The rooms that a file imports from."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out"
            names |= {f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
    return {room_of(name.split(".")[1:]) for name in names if name.split(".")[0] == "pose_service"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_down(path: Path) -> None:
    allowed = ROOMS[: ROOMS.index(room_of(list(path.relative_to(PACKAGE).parts))) + 1]
    assert imported(ast.parse(path.read_text())) <= set(allowed)


def test_every_folder_is_a_room() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(ROOMS) - {""}
