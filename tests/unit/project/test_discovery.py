"""What a project is built on though nothing declares it: folders and references as tables."""

import json
from pathlib import Path

import pytest

from layerstack.dockerfile.image import Image
from layerstack.errors import UsageError
from layerstack.project.discovery import Discovery, discover
from layerstack.state_folder import state_folder


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def find(root: Path, files: dict[str, str], *images: Image) -> Discovery:
    write(root, files)
    return discover(root, {image.name: image for image in images})


def contexts(found: Discovery, name: str) -> dict[str, str]:
    return dict(found.images[name].contexts)


WEB = Image("web", "web", tags=("shop-web:latest",))


@pytest.mark.parametrize("reference", ["base", "base:latest"])
@pytest.mark.parametrize(
    "path", ["base/Dockerfile", "docker/base/Dockerfile", "docker/Dockerfile.base", "docker/base.Dockerfile"]
)
def test_a_folder_or_a_file_is_the_base_that_it_is_named_after(tmp_path: Path, path: str, reference: str) -> None:
    found = find(tmp_path, {"web/Dockerfile": f"FROM {reference}\n", path: "FROM scratch\n"}, WEB)
    assert contexts(found, "web") == {"base": "target:base"}
    base = found.images["base"]
    assert base.tags == ("base:latest",)
    assert (tmp_path / base.context / base.dockerfile).resolve() == tmp_path / path
    assert found.definitions["web"] == {"contexts": {"base": "target:base"}}


def test_two_levels_are_found_one_after_the_other(tmp_path: Path) -> None:
    files = {"web/Dockerfile": "FROM high", "docker/high/Dockerfile": "FROM low", "low/Dockerfile": "FROM scratch"}
    found = find(tmp_path, files, WEB)
    assert list(found.images) == ["web", "high", "low"]
    assert contexts(found, "high") == {"low": "target:low"}


def test_a_name_with_folders_is_the_end_of_a_path(tmp_path: Path) -> None:
    files = {
        "web/Dockerfile": "FROM team/base",
        "docker/team/base/Dockerfile": "FROM scratch",
        "base/Dockerfile": "FROM scratch",
    }
    found = find(tmp_path, files, WEB)
    assert contexts(found, "web") == {"team/base": "target:team_base"}
    assert found.images["team_base"].context == "docker/team/base"


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("ARG BASE=base\nFROM ${BASE}", {}),
        ("ARG BASE\nFROM $BASE:latest", {"BASE": "base"}),
        ("FROM scratch\nCOPY --from=base /a /a", {}),
        ("FROM scratch\nRUN --mount=type=bind,from=base,target=/b true", {}),
    ],
)
def test_every_way_to_name_a_base_counts(tmp_path: Path, text: str, args: dict[str, str]) -> None:
    image = Image("web", "web", tags=("w",), args=args)
    found = find(tmp_path, {"web/Dockerfile": text, "base/Dockerfile": "FROM scratch"}, image)
    assert contexts(found, "web") == {"base": "target:base"}


@pytest.mark.parametrize(
    ("reference", "tag", "key"),
    [
        ("team/api:1.2", "team/api:1.2", "team/api:1.2"),
        ("shop-api", "shop-api:latest", "shop-api"),
        ("shop-api:latest", "shop-api", "shop-api"),
        ("localhost:5000/api", "localhost:5000/api:latest", "localhost:5000/api"),
    ],
)
def test_the_tag_of_another_service_is_that_service(tmp_path: Path, reference: str, tag: str, key: str) -> None:
    files = {"web/Dockerfile": f"FROM {reference}", "api/Dockerfile": "FROM scratch"}
    found = find(tmp_path, files, WEB, Image("api", "api", tags=(tag,)))
    assert contexts(found, "web") == {key: "target:api"}
    assert list(found.images) == ["web", "api"]


def test_an_image_context_of_the_project_becomes_a_target(tmp_path: Path) -> None:
    image = Image("web", "web", tags=("w",), contexts={"lib": "docker-image://shop-lib"})
    other = Image("lib", "lib", tags=("shop-lib:latest",))
    found = find(tmp_path, {"web/Dockerfile": "FROM lib", "lib/Dockerfile": "FROM scratch"}, image, other)
    assert contexts(found, "web") == {"lib": "target:lib"}


@pytest.mark.parametrize(
    ("reference", "files"),
    [
        ("node:18-alpine", {"node/Dockerfile": "FROM scratch"}),
        ("bitnami/redis", {"redis/Dockerfile": "FROM scratch"}),
        ("nginx", {"nginx/Dockerfile": "FROM nginx:alpine\n"}),
        ("base", {"node_modules/base/Dockerfile": "FROM scratch", ".hidden/base/Dockerfile": "FROM scratch"}),
        ("base", {"a/b/c/d/base/Dockerfile": "FROM scratch"}),
        ("base@sha256:" + "0" * 64, {"base/Dockerfile": "FROM scratch"}),
        ("web", {}),
    ],
)
def test_an_image_from_elsewhere_stays_one(tmp_path: Path, reference: str, files: dict[str, str]) -> None:
    found = find(tmp_path, {"web/Dockerfile": f"FROM {reference}", **files}, WEB)
    assert found.definitions == {}
    assert found.write(tmp_path) is None


def test_a_service_retagged_from_an_image_of_its_own_name_is_not_on_itself(tmp_path: Path) -> None:
    found = find(tmp_path, {"web/Dockerfile": "FROM nginx"}, Image("web", "web", tags=("nginx:latest",)))
    assert found.definitions == {}


def test_what_is_declared_is_left_alone(tmp_path: Path) -> None:
    image = Image("web", "web", tags=("w",), contexts={"base": "target:mine", "other": "folder"})
    files = {
        "web/Dockerfile": "FROM base\nCOPY --from=other . .",
        "base/Dockerfile": "FROM scratch",
        "other/Dockerfile": "FROM scratch",
    }
    found = find(tmp_path, files, image, Image("mine", "base", tags=("mine",)))
    assert found.definitions == {}


def test_two_folders_of_one_name_are_refused_with_both(tmp_path: Path) -> None:
    files = {"web/Dockerfile": "FROM base", "a/base/Dockerfile": "FROM scratch", "b/base/Dockerfile": "FROM scratch"}
    with pytest.raises(UsageError, match=r"a/base/Dockerfile and b/base/Dockerfile"):
        find(tmp_path, files, WEB)


@pytest.mark.parametrize(
    ("present", "folder"),
    [("docker/base/packages", "docker/base"), ("packages", "."), ("elsewhere", "docker/base")],
)
def test_the_context_is_where_the_copied_files_are(tmp_path: Path, present: str, folder: str) -> None:
    files = {"web/Dockerfile": "FROM base", "docker/base/Dockerfile": "FROM scratch\nCOPY packages /p", present: ""}
    base = find(tmp_path, files, WEB).images["base"]
    assert base.context == folder
    assert (tmp_path / base.context / base.dockerfile).is_file()


def test_a_circle_ends_the_search_and_is_there_to_be_refused(tmp_path: Path) -> None:
    files = {"web/Dockerfile": "FROM a", "a/Dockerfile": "FROM b", "b/Dockerfile": "FROM a"}
    found = find(tmp_path, files, WEB)
    assert (contexts(found, "a"), contexts(found, "b")) == ({"b": "target:b"}, {"a": "target:a"})


def test_a_base_never_takes_the_name_of_a_service(tmp_path: Path) -> None:
    files = {"x/Dockerfile": "FROM web", "web/Dockerfile": "FROM scratch"}
    found = find(tmp_path, files, Image("web", "x", tags=("shop-web:latest",)))
    assert contexts(found, "web") == {"web": "target:web-base"}


def test_a_dockerfile_that_cannot_be_read_is_left_for_the_build_to_report(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    assert discover(tmp_path, {"web": WEB}).definitions == {}


def test_what_bake_must_be_told_is_written_once_for_the_same_content(tmp_path: Path) -> None:
    found = find(tmp_path, {"web/Dockerfile": "FROM base", "base/Dockerfile": "FROM scratch"}, WEB)
    path = found.write(tmp_path)
    assert path is not None
    assert path.parent == state_folder(tmp_path)
    assert set(json.loads(path.read_text())["target"]) == {"web", "base"}
    before = path.stat().st_mtime_ns
    assert found.write(tmp_path) == path
    assert path.stat().st_mtime_ns == before


def test_a_state_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    found = find(tmp_path, {"web/Dockerfile": "FROM base", "base/Dockerfile": "FROM scratch"}, WEB)
    state_folder(tmp_path).write_text("in the way")
    with pytest.raises(UsageError, match="cannot be written"):
        found.write(tmp_path)
