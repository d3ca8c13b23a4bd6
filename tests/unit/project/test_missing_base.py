"""A base that is nowhere: the lines that would declare it, when a Dockerfile looks like its source."""

from pathlib import Path

import pytest

from layerstack.dockerfile.image import Image
from layerstack.project.missing_base import advice_for
from layerstack.project.project import Project

MESSAGE = (
    "ERROR: failed to solve: base-node: failed to resolve source metadata for docker.io/library/base-node:latest: "
    "pull access denied, repository does not exist or may require authorization"
)


def project(root: Path, *paths: str, base: str = "base-node") -> Project:
    for path in ("web/Dockerfile", *paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("FROM scratch\n")
    (root / "web" / "Dockerfile").write_text(f"FROM {base}\n")
    image = Image("web", "web", tags=("shop-web:latest",))
    return Project(root, "shop", "cpu", (), (), {"web": image}, {})


def test_the_lines_are_those_that_declare_it(tmp_path: Path) -> None:
    lines = advice_for(project(tmp_path, "docker/base-node/Dockerfile"), MESSAGE).splitlines()[1:-1]
    assert [line.strip() for line in lines] == [
        'target "base-node" {',
        'context = "docker/base-node"',
        'tags = ["base-node:latest"]',
        "}",
        'target "web" {',
        'contexts = { base-node = "target:base-node" }',
        "}",
    ]


@pytest.mark.parametrize("path", ["docker/base-node.Dockerfile", "docker/Dockerfile.base-node"])
def test_a_file_that_is_named_after_the_image_is_given_as_one(tmp_path: Path, path: str) -> None:
    advice = advice_for(project(tmp_path, path), MESSAGE)
    assert f'dockerfile = "{Path(path).name}"' in advice
    assert 'context = "docker"' in advice


@pytest.mark.parametrize("paths", [(), ("docker/other/Dockerfile",), ("node_modules/base-node/Dockerfile",)])
def test_without_a_likely_source_nothing_is_said(tmp_path: Path, paths: tuple[str, ...]) -> None:
    assert advice_for(project(tmp_path, *paths), MESSAGE) == ""


def test_another_failure_has_other_advice(tmp_path: Path) -> None:
    assert advice_for(project(tmp_path, "docker/base-node/Dockerfile"), "exit code: 1") == ""


def test_a_declared_system_image_is_left_to_setup_whatever_a_folder_is_called(tmp_path: Path) -> None:
    found = project(tmp_path, "docker/base-node/Dockerfile")
    bake = tmp_path / "docker-bake.hcl"
    bake.write_text('variable "BASE_IMAGE" { default = "other:1" }\n')
    assert advice_for(found, MESSAGE)
    bake.write_text('variable "BASE_IMAGE" { default = "base-node:latest" }\n')
    assert advice_for(found, MESSAGE) == ""
