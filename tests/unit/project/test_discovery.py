"""What a project is built on though nothing declares it: build lines and references as tables."""

from pathlib import Path

import pytest

from layerstack.dockerfile.image import Image
from layerstack.project.build_commands import find_build_commands
from layerstack.project.discovery import discover


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def find(root: Path, files: dict[str, str], *images: Image) -> dict[str, Image]:
    write(root, files)
    return discover(root, {image.name: image for image in images})


def contexts(found: dict[str, Image], name: str) -> dict[str, str]:
    return dict(found[name].contexts)


WEB = Image("web", "web", tags=("shop-web:latest",), definition={"context": "web", "tags": ["shop-web:latest"]})
LINE = "docker build -t base docker/base"


@pytest.mark.parametrize("reference", ["base", "base:latest", "docker.io/library/base"])
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("build.sh", f"#!/bin/sh\n{LINE}\n"),
        ("build.sh", f"set -e; {LINE} && echo done"),
        ("build.sh", "docker buildx build \\\n  --tag base:latest \\\n  docker/base\n"),
        ("build.sh", "docker image build --tag=base --quiet docker/base > log"),
        ("build.sh", "cd docker/base && docker build -t base ."),
        ("build.sh", "cd docker && cd base && docker build -t base ."),
        ("build.sh", f"docker build -t other other && {LINE}; docker build -t more docker"),
        ("build.sh", "NAME=base\nDIR=docker\ndocker build -t $NAME ${DIR}/base"),
        ("build.sh", "for one in other base; do\n  docker build -t $one docker/$one\ndone\n"),
        ("docker/base/make.sh", "docker build -t base ."),
        ("Makefile", f"NAME := base\nbase:\n\t@{LINE.replace('base', '$(NAME)', 1)}\n"),
        ("justfile", f"base:\n    {LINE}\n"),
        ("package.json", f'{{"scripts": {{"base": "{LINE}"}}}}'),
        ("README.md", f"Once:\n\n    $ {LINE}\n"),
        ("docs/start.md", f"Run `{LINE}` first."),
        (".github/workflows/ci.yml", f"jobs:\n  a:\n    steps:\n      - run: {LINE}\n"),
        (".gitlab-ci.yml", f'a:\n  script:\n    - "{LINE}"\n'),
        ("build.sh", "docker build -t base -f docker/base/Dockerfile docker/base"),
    ],
)
def test_a_build_line_is_evidence(tmp_path: Path, file: str, text: str, reference: str) -> None:
    files = {"web/Dockerfile": f"FROM {reference}\n", "docker/base/Dockerfile": "FROM scratch\n", file: text}
    found = find(tmp_path, files, WEB)
    assert set(contexts(found, "web").values()) == {"target:base"}
    base = found["base"]
    assert base.tags == ("base:latest",)
    assert (tmp_path / base.context / base.dockerfile).resolve() == tmp_path / "docker/base/Dockerfile"
    assert found["web"].definition["contexts"] == contexts(found, "web")
    assert base.definition["context"] == "docker/base"


def test_options_of_the_line_are_those_of_the_build(tmp_path: Path) -> None:
    line = "docker build --build-arg V=1 --build-arg W='a b' --target small -f docker/x.Dockerfile -t base:2 .\n"
    files = {"web/Dockerfile": "FROM base:2", "docker/x.Dockerfile": "FROM scratch AS small", "build.sh": line}
    base = find(tmp_path, files, WEB)["base_2"]
    assert (base.context, base.dockerfile, base.target) == (".", "docker/x.Dockerfile", "small")
    assert base.args == {"V": "1", "W": "a b"}
    assert base.tags == ("base:2",)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "docker build -t other docker/base",
        "docker build -t base:2 docker/base",
        "docker build -t $UNKNOWN docker/base",
        "docker build -t base docker/gone",
        "docker build -t base https://example.org/base.git",
        "docker build -t base -",
        "docker build docker/base",
        "docker build -t base docker/base\ndocker build -t base other/base",
        "docker pull base",
    ],
)
def test_without_one_clear_line_a_name_is_what_docker_makes_of_it(tmp_path: Path, line: str) -> None:
    files = {"web/Dockerfile": "FROM base", "docker/base/Dockerfile": "FROM scratch", "build.sh": line}
    found = find(tmp_path, {**files, "other/base/Dockerfile": "FROM scratch"}, WEB)
    assert list(found) == ["web"]
    assert contexts(found, "web") == {}


def test_an_official_name_and_a_folder_that_ends_like_it(tmp_path: Path) -> None:
    files = {"web/Dockerfile": "FROM python:latest\n", "docker/python/Dockerfile": "FROM debian\n"}
    found = find(tmp_path, files, WEB)
    assert list(found) == ["web"]


def test_an_image_made_from_the_one_of_its_name_is_another_one(tmp_path: Path) -> None:
    files = {"web/Dockerfile": "FROM nginx", "n/Dockerfile": "FROM nginx", "b.sh": "docker build -t nginx n"}
    assert list(find(tmp_path, files, WEB)) == ["web"]


def test_two_levels_are_found_one_after_the_other(tmp_path: Path) -> None:
    files = {"web/Dockerfile": "FROM high", "high/Dockerfile": "FROM low", "low/Dockerfile": "FROM scratch"}
    files["b.sh"] = "docker build -t low low\ndocker build -t high high\n"
    found = find(tmp_path, files, WEB)
    assert list(found) == ["web", "high", "low"]
    assert contexts(found, "high") == {"low": "target:low"}


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
    image = Image("web", "web", tags=("w",), args=args, definition={"context": "web", "args": args})
    files = {"web/Dockerfile": text, "base/Dockerfile": "FROM scratch", "b.sh": "docker build -t base base"}
    assert contexts(find(tmp_path, files, image), "web") == {"base": "target:base"}


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
    found = find(tmp_path, files, WEB, Image("api", "api", tags=(tag,), definition={"context": "api"}))
    assert contexts(found, "web") == {key: "target:api"}
    assert list(found) == ["web", "api"]


def test_an_image_context_of_the_project_becomes_a_target(tmp_path: Path) -> None:
    named = {"lib": "docker-image://shop-lib"}
    image = Image("web", "web", tags=("w",), contexts=named, definition={"context": "web", "contexts": named})
    other = Image("lib", "lib", tags=("shop-lib:latest",), definition={"context": "lib"})
    found = find(tmp_path, {"web/Dockerfile": "FROM lib", "lib/Dockerfile": "FROM scratch"}, image, other)
    assert contexts(found, "web") == {"lib": "target:lib"}


def test_what_is_declared_is_left_alone(tmp_path: Path) -> None:
    named = {"base": "target:mine", "other": "folder"}
    image = Image("web", "web", tags=("w",), contexts=named, definition={"context": "web", "contexts": named})
    files = {"web/Dockerfile": "FROM base\nCOPY --from=other . .", "base/Dockerfile": "FROM scratch"}
    files["b.sh"] = "docker build -t base base; docker build -t other base"
    found = find(tmp_path, files, image, Image("mine", "base", tags=("mine",), definition={"context": "base"}))
    assert list(found) == ["web", "mine"]
    assert contexts(found, "web") == named


def test_a_circle_ends_the_search_and_is_there_to_be_refused(tmp_path: Path) -> None:
    files = {"web/Dockerfile": "FROM a", "a/Dockerfile": "FROM b", "b/Dockerfile": "FROM a"}
    files["b.sh"] = "docker build -t a a\ndocker build -t b b\n"
    found = find(tmp_path, files, WEB)
    assert (contexts(found, "a"), contexts(found, "b")) == ({"b": "target:b"}, {"a": "target:a"})


def test_a_base_never_takes_the_name_of_a_service(tmp_path: Path) -> None:
    files = {"x/Dockerfile": "FROM web", "web/Dockerfile": "FROM scratch", "b.sh": "docker build -t web web"}
    image = Image("web", "x", tags=("shop-web:latest",), definition={"context": "x"})
    assert contexts(find(tmp_path, files, image), "web") == {"web": "target:web-base"}


def test_a_dockerfile_that_cannot_be_read_is_left_for_the_build_to_report(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    assert list(discover(tmp_path, {"web": WEB})) == ["web"]


def test_a_line_is_found_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, {"a/Dockerfile": "", "b.sh": "#!/bin/sh\n\ndocker build \\\n -t a \\\n a\n"})
    [command] = find_build_commands(tmp_path)
    assert (command.place, command.tags, command.context) == ("b.sh:3", ("a",), "a")


@pytest.mark.parametrize("text", ["docker build -t 'a a", "docker build -t", '{"scripts": 1}', "docker build \x00"])
def test_text_that_is_no_command_is_passed_over(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"a/Dockerfile": "", "b.sh": text, "package.json": text})
    assert find_build_commands(tmp_path) == ()
