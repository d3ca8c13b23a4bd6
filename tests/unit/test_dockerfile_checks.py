"""BuildKit's Dockerfile checks: what is asked and how the answer is read; `docker` answers from a table."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from fake_docker import FakeDocker

from benchmarks import dockerfile_checks as lint
from layerstack.dockerfile.image import Image
from layerstack.errors import BuildFailed
from layerstack.project.project import Project

ANSWER = {
    "warnings": [
        {
            "ruleName": "StageNameCasing",
            "detail": "Stage name 'Deps' should be lowercase",
            "location": {"ranges": [{"start": {"line": 7}}]},
        },
        {"ruleName": "Odd", "detail": "no place", "location": None},
    ]
}


def stack(root: Path, *images: Image) -> Project:
    return Project(root, "shop", "cpu", (), (), {one.name: one for one in images}, {})


def words(docker: FakeDocker, project: Project) -> list[str]:
    docker.answers("buildx build *", "{}")
    lint.check_dockerfiles(project)
    return docker.calls[-1].split()


def test_warnings_have_their_rule_and_place(tmp_path: Path, docker: FakeDocker) -> None:
    docker.answers("buildx build *", json.dumps(ANSWER))
    found = lint.check_dockerfiles(stack(tmp_path, Image("web", "web")))
    assert {(one.rule, one.place) for one in found} == {
        ("StageNameCasing", "web/Dockerfile:7"),
        ("Odd", "web/Dockerfile:?"),
    }


def test_images_of_one_dockerfile_do_not_repeat_its_warnings(tmp_path: Path, docker: FakeDocker) -> None:
    docker.answers("buildx build *", json.dumps(ANSWER))
    images = (Image("web", "web", target="runtime"), Image("web-test", "web", target="test"))
    assert len(lint.check_dockerfiles(stack(tmp_path, *images))) == 2


def test_no_warnings(tmp_path: Path, docker: FakeDocker) -> None:
    docker.answers("buildx build *", '{"warnings": null}')
    assert lint.check_dockerfiles(stack(tmp_path, Image("web", "web"))) == []


def test_what_cannot_be_checked_is_a_failed_build_with_the_reason(tmp_path: Path, docker: FakeDocker) -> None:
    docker.answers("buildx build *", stderr="ERROR: unknown instruction: RUNN (line 3)", exit_code=1)
    with pytest.raises(BuildFailed, match=r"web cannot be checked(?s:.*)unknown instruction: RUNN \(line 3\)"):
        lint.check_dockerfiles(stack(tmp_path, Image("web", "web")))


def test_a_dockerfile_that_cannot_be_built_is_a_failed_build_with_its_place(tmp_path: Path, docker: FakeDocker) -> None:
    """BuildKit puts this into its answer beside the warnings, of which there are none then."""
    error = {"message": "unknown instruction: RUNN", "location": {"ranges": [{"start": {"line": 3}}]}}
    docker.answers("buildx build *", json.dumps({"warnings": None, "buildError": error}), exit_code=1)
    with pytest.raises(BuildFailed, match=r"web/Dockerfile:3: unknown instruction: RUNN"):
        lint.check_dockerfiles(stack(tmp_path, Image("web", "web")))


def test_nothing_is_built_or_tagged(tmp_path: Path, docker: FakeDocker) -> None:
    image = Image("web", "web", "docker/Web", target="runtime", tags=("web:latest",), args={"MODE": "fast"})
    called = words(docker, stack(tmp_path, image))
    assert "--call=check,format=json" in called
    assert not {"--tag", "-t", "web:latest", "--load", "--output"} & set(called)
    assert called[-1] == "web"
    pairs = set(pairwise(called))
    assert {("--file", "web/docker/Web"), ("--target", "runtime"), ("--build-arg", "MODE=fast")} <= pairs


def test_images_from_elsewhere_are_replaced_and_folders_are_not(tmp_path: Path, docker: FakeDocker) -> None:
    for folder in ("locks", "web"):
        (tmp_path / folder).mkdir()
    (tmp_path / "web/Dockerfile").write_text(
        "ARG NODE=node:18\nFROM $NODE\nCOPY --from=base / /\nCOPY --from=locks / /\n"
    )
    contexts = {"base": "target:base", "locks": "locks", "gone": "gone"}
    called = words(docker, stack(tmp_path, Image("web", "web", args={"NODE": "node:20"}, contexts=contexts)))
    empty = "docker-image://scratch"
    for word in ("NODE=node:20", f"node:20={empty}", f"base={empty}", "locks=locks", f"gone={empty}"):
        assert word in called
