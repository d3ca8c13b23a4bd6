"""A build that BuildKit refuses as a whole: the first line says which file, where, and what to type."""

from pathlib import Path

import pytest

from layerstack.build.build_failure import failure
from layerstack.build.buildlog import BuildReport
from layerstack.dockerfile.image import Image, read_image
from layerstack.errors import StackError
from layerstack.project.project import Project

COMPOSE = """services:
  web:
    build:
      context: web
      target: prd
      ssh: [default]
      privileged: true
"""


def refused(root: Path, image: Image, said: str) -> StackError:
    compose = root / "compose.yaml"
    compose.write_text(COMPOSE)
    project = Project(root, "shop", "cpu", (compose,), (), {"web": image}, {})
    return failure(BuildReport(False, 1.0, (), f"ERROR: failed to solve: {said}\n"), project)


def written(root: Path, text: str, **definition: object) -> Image:
    (root / "web").mkdir()
    (root / "web/Dockerfile").write_text(text)
    return read_image("web", {"context": "web", **definition})


@pytest.mark.parametrize("text", ["", "# nothing\nARG X\n"])
def test_no_from(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, written(tmp_path, text), "dockerfile contains no stages to build")
    assert str(error).startswith("web/Dockerfile has no FROM")
    assert error.advice


def test_an_unknown_target(tmp_path: Path) -> None:
    image = written(tmp_path, "FROM scratch AS prod\n", target="prd")
    error = refused(tmp_path, image, 'target stage "prd" could not be found (did you mean prod?)')
    assert str(error).startswith("compose.yaml:5: web/Dockerfile has no stage `prd`")
    assert "`prod`" in error.advice


@pytest.mark.parametrize(("context", "state"), [("wbe", "is not there"), ("file", "is a file")])
def test_a_context_that_is_no_folder(tmp_path: Path, context: str, state: str) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "file").touch()
    said = {"wbe": 'unable to prepare context: path "/x/wbe" not found'}
    said["file"] = 'failed to evaluate path "/x/file/Dockerfile": not a directory'
    error = refused(tmp_path, read_image("web", {"context": context}), said[context])
    assert str(error).startswith(f"compose.yaml:4: the build context of web {state}: {context}")
    assert ("`web`" in error.advice) == (context == "wbe")


def test_a_rule_that_is_no_pattern(tmp_path: Path) -> None:
    image = written(tmp_path, "FROM scratch\n")
    (tmp_path / "web/.dockerignore").write_text("a\n[x-\n")
    assert str(refused(tmp_path, image, "syntax error in pattern")).startswith("web/.dockerignore:2: `[x-`")


def test_lint_that_ends_a_build(tmp_path: Path) -> None:
    image = written(tmp_path, "# check=error=true\nFROM scratch as a\n")
    error = refused(tmp_path, image, "lint violation found for rules: FromAsCasing")
    assert str(error).startswith("web/Dockerfile: ")
    assert "FromAsCasing" in str(error)


def test_an_entitlement_that_the_engine_does_not_allow(tmp_path: Path) -> None:
    image = written(tmp_path, "FROM scratch\n", entitlements=["security.insecure"])
    said = "granting entitlement security.insecure is not allowed by build daemon configuration"
    error = refused(tmp_path, image, said)
    assert str(error).startswith("compose.yaml:7: ")
    assert "security-insecure" in error.advice


def test_no_ssh_agent(tmp_path: Path) -> None:
    image = written(tmp_path, "FROM scratch\n", ssh=[{"id": "default"}])
    said = "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set"
    error = refused(tmp_path, image, said)
    assert str(error).startswith("compose.yaml:6: ")
    assert "ssh-add" in error.advice


def test_a_secret_whose_file_is_missing(tmp_path: Path) -> None:
    image = written(tmp_path, "FROM scratch\n", secret=[{"id": "s", "src": f"{tmp_path}/no.txt"}])
    compose = tmp_path / "compose.yaml"
    compose.write_text(COMPOSE + "      secrets: [s]\n")
    project = Project(tmp_path, "shop", "cpu", (compose,), (), {"web": image}, {})
    said = f"ERROR: failed to stat {tmp_path}/no.txt: stat {tmp_path}/no.txt: no such file or directory\n"
    error = failure(BuildReport(False, 1.0, (), said), project)
    assert str(error).startswith("compose.yaml:8: ")
    assert "Write no.txt" in error.advice


def test_a_folder_in_place_of_the_dockerfile(tmp_path: Path) -> None:
    (tmp_path / "web/Dockerfile").mkdir(parents=True)
    error = refused(tmp_path, read_image("web", {"context": "web"}), "failed to read dockerfile: read /tmp/x: is a dir")
    assert str(error).startswith("web/Dockerfile is a folder")


def test_a_dockerfile_that_is_a_link_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "App.Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "web").mkdir()
    (tmp_path / "web/Dockerfile").symlink_to("../App.Dockerfile")
    error = refused(tmp_path, read_image("web", {"context": "web"}), "failed to read dockerfile: open Dockerfile: no")
    assert str(error).startswith("web/Dockerfile is a link out of its folder")
    assert "`dockerfile: ../App.Dockerfile`" in error.advice
