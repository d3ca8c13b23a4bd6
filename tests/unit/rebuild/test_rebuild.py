"""What is refused before a rebuild is timed."""

from pathlib import Path
from typing import Any

import pytest

from layerstack.dockerfile.image import Image
from layerstack.errors import UsageError
from layerstack.project.project import Project, Service
from layerstack.rebuild import rebuild
from layerstack.rebuild.edited_file import edited_file
from layerstack.rebuild.rebuild import RebuildOptions


def project(root: Path, settings: dict[str, Any] | None = None, is_built: bool = True) -> Project:
    definition = {**({"build": {}} if is_built else {}), "x-layerstack": settings}
    service = Service("web", "web:latest", (), definition)
    images = {"web": Image("web", "web", tags=("web:latest",))} if is_built else {}
    return Project(root, "shop", "cpu", (), (), images, {"web": service})


@pytest.mark.parametrize("name", ["data.json", "photo.jpg", "Makefile", "a.unknown"])
def test_a_file_without_known_comments_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / name).write_text("x")
    stack = project(tmp_path, {"edit": name})
    with pytest.raises(UsageError, match=name):
        edited_file(stack, stack.services["web"], stack.images["web"])
    assert (tmp_path / "web" / name).read_text() == "x"
    assert edited_file(stack, stack.services["web"], stack.images["web"], has_command=True).path == name


@pytest.mark.parametrize(("settings", "word"), [({}, "x-layerstack"), ({"edit": "gone.py"}, "gone.py")])
def test_what_to_edit_must_be_said_and_be_there(tmp_path: Path, settings: dict[str, Any], word: str) -> None:
    stack = project(tmp_path, settings)
    with pytest.raises(UsageError) as caught:
        edited_file(stack, stack.services["web"], stack.images["web"])
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("stack_settings", "names", "options", "word"),
    [
        ({"edit": "a.py"}, ["wep"], RebuildOptions(1), "web"),
        ({"edit": "a.py"}, [], RebuildOptions(0), "--runs"),
        ({}, [], RebuildOptions(1), "x-layerstack"),
        ({"edit": "a.py"}, ["web"], RebuildOptions(1, edit_command="sed -i 's/a/b/"), "--edit-with"),
        ({"edit": "a.py"}, ["web"], RebuildOptions(1, edit_command=" "), "--edit-with"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_built(
    tmp_path: Path, stack_settings: dict[str, Any], names: list[str], options: RebuildOptions, word: str
) -> None:
    with pytest.raises(UsageError) as caught:
        rebuild.time_rebuilds(project(tmp_path, stack_settings), names, options, print)
    assert word in str(caught.value)


def test_a_service_that_is_not_built_here_cannot_be_rebuilt(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="web"):
        rebuild.time_rebuilds(project(tmp_path, {"edit": "a.py"}, is_built=False), ["web"], RebuildOptions(1), print)
