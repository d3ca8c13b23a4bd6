"""Projects are what `docker compose` resolves, with the real Compose and bake; each test is one way to write one."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from layerstack import command
from layerstack.build.build import build
from layerstack.build.layer_content import read_content
from layerstack.engine.images import find
from layerstack.errors import UsageError
from layerstack.project import project
from layerstack.project.project import Project
from layerstack.state_folder import state_folder

pytestmark = pytest.mark.docker
NAME = f"layerstack-test-compose-{os.getpid()}"
APP = f"services:\n  app:\n    image: {NAME}\n"
BUILT = f"{APP}    build:\n      context: ctx\n"


@dataclass
class Folder:
    root: Path

    def write(self, **files: str) -> None:
        """`compose_yaml=…` is compose.yaml, `ctx__a=…` is ctx/a, `_env=…` is .env."""
        for name, text in files.items():
            path = self.root / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def load(self) -> Project:
        return project.load(project.find_root(self.root), "cpu")

    def app(self) -> dict[str, Any]:
        environment: dict[str, Any] = self.load().services["app"].definition["environment"]
        return environment


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    root = tmp_path / "shop"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", NAME)
    made = Folder(root)
    made.write(ctx__Dockerfile="FROM scratch\nCOPY a /a\n", ctx__a="1")
    return made


def test_compose_file_in_the_env_file_names_the_files(folder: Folder) -> None:
    other = "services: {app: {environment: {A: prod}}}\n"
    folder.write(compose_yaml=f"{APP}    environment: {{A: base}}\n", compose_prod_yaml=other)
    folder.write(_env="COMPOSE_FILE=compose.yaml:compose.prod.yaml\n")
    assert folder.app() == {"A": "prod"}


def test_an_override_of_another_suffix_counts(folder: Folder) -> None:
    other = "services: {app: {environment: {A: override}}}\n"
    folder.write(compose_yaml=f"{APP}    environment: {{A: base}}\n", compose_override_yml=other)
    assert folder.app() == {"A": "override"}


def test_a_changed_env_file_is_read_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write(compose_yaml=f'{BUILT}      args: {{V: "${{V}}"}}\n    environment: {{A: "${{V}}"}}\n')
    (folder.root / "a.env").write_text("V=one\n")
    monkeypatch.setenv("COMPOSE_ENV_FILES", "a.env")
    assert (folder.app(), folder.load().image("app").args) == ({"A": "one"}, {"V": "one"})
    (folder.root / "a.env").write_text("V=two\n")
    assert (folder.app(), folder.load().image("app").args) == ({"A": "two"}, {"V": "two"})


@pytest.mark.parametrize("key", ["include", "extends", "env_file"])
def test_a_change_of_a_file_that_another_names_is_read(folder: Folder, key: str) -> None:
    below = "services: {low: {image: x, environment: {A: one}}}\n"
    folder.write(other_yaml=below, other_env="A=one\n")
    texts = {
        "include": f"include: [other.yaml]\n{APP}",
        "extends": f"{APP}    extends: {{file: other.yaml, service: low}}\n",
        "env_file": f"{APP}    env_file: other.env\n",
    }
    folder.write(compose_yaml=texts[key])
    service = "low" if key == "include" else "app"
    assert folder.load().services[service].definition["environment"] == {"A": "one"}
    folder.write(other_yaml=below.replace("one", "two"), other_env="A=two\n")
    assert folder.load().services[service].definition["environment"] == {"A": "two"}


def test_a_provider_and_a_raw_env_file_are_read(folder: Folder) -> None:
    more = "    env_file: [{path: raw.env, format: raw}]\n    depends_on: [llm]\n"
    folder.write(compose_yaml=f"{BUILT}{more}  llm: {{provider: {{type: model, options: {{model: m}}}}}}\n")
    folder.write(raw_env="A=$B\n")
    folder.write(**{"docker-bake_hcl": f'target "app" {{ labels = {{ mine = "{NAME}" }} }}\n'})
    found = folder.load()
    assert found.image("app").definition["labels"]["mine"] == NAME
    assert found.services["app"].definition["environment"] == {"A": "$B"}
    assert found.services["llm"].replicas == 0


def test_services_of_inactive_profiles_are_left_alone(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    heavy = "  heavy:\n    image: heavy\n    profiles: [gpu]\n    build: ctx\n"
    folder.write(compose_yaml=f"{BUILT}{heavy}")
    # A group that names it makes no difference: Compose does not build it.
    folder.write(**{"docker-bake_hcl": 'group "default" { targets = ["app", "heavy"] }\ntarget "heavy" {}\n'})
    found = folder.load()
    assert set(found.images) == {"app"}
    assert found.inactive == {"heavy": ["gpu"]}
    with pytest.raises(UsageError, match="profile gpu"):
        found.image("heavy")
    monkeypatch.setenv("COMPOSE_PROFILES", "gpu")
    assert set(folder.load().images) == {"app", "heavy"}


def test_no_active_service_is_said(folder: Folder) -> None:
    folder.write(compose_yaml=f"{APP}    profiles: [demo]\n")
    with pytest.raises(UsageError, match=r"app \(demo\)") as caught:
        folder.load().require_services()
    assert "COMPOSE_PROFILES=demo" in caught.value.advice


def test_a_service_that_is_not_built_says_what_it_runs(folder: Folder) -> None:
    folder.write(compose_yaml="services: {db: {image: debian:bookworm-slim}}\n")
    with pytest.raises(UsageError, match="db is not built here, it runs debian:bookworm-slim"):
        folder.load().image("db")


def test_two_builds_under_one_tag_are_a_fact_of_the_project(folder: Folder) -> None:
    worker = f"  worker:\n    image: {NAME}\n    build: {{context: ctx, args: {{M: worker}}}}\n"
    folder.write(compose_yaml=f"{BUILT}{worker}")
    assert folder.load().shared_tags == {f"{NAME}:latest": ("app", "worker")}


def test_one_build_for_two_services_is_one_image(folder: Folder) -> None:
    folder.write(compose_yaml=f"{BUILT}  worker:\n    image: {NAME}\n    build: ctx\n")
    found = folder.load()
    assert [found.image(name).name for name in ("app", "worker")] == ["app", "app"]
    assert found.shared_tags == {}
    assert found.base_images == ()


def test_all_tags_and_pull_and_platform_are_part_of_the_definition(folder: Folder) -> None:
    more = "      pull: true\n      tags: [two:1]\n    platform: linux/arm64\n"
    folder.write(compose_yaml=f"{BUILT}{more}")
    image = folder.load().image("app")
    assert image.tags == (NAME, "two:1")
    assert (image.definition["pull"], image.definition["platforms"]) == (True, ["linux/arm64"])


def test_a_value_that_is_ever_new_is_asked_again(folder: Folder) -> None:
    folder.write(compose_yaml=BUILT)
    folder.write(**{"docker-bake_hcl": 'target "app" { args = { V = uuidv4() } }\n'})
    assert folder.load().image("app").args != folder.load().image("app").args


def test_a_base_that_only_a_bake_file_links_is_an_image_of_its_own(folder: Folder, built_names: list[str]) -> None:
    folder.write(compose_yaml=BUILT, base__Dockerfile="FROM scratch\nCOPY Dockerfile /d\n")
    folder.write(ctx__Dockerfile="FROM base\nCOPY a /a\n")
    base = f'target "base" {{\n  context = "base"\n  tags = ["{NAME}-base"]\n}}\n'
    app = 'target "app" {\n  contexts = { base = "target:base" }\n}\n'
    folder.write(**{"docker-bake_hcl": base + app})
    images = folder.load().images
    assert "output" not in images["base"].definition
    built_names += [NAME, f"{NAME}-base"]
    targets = {name: dict(image.definition) for name, image in images.items()}
    argv = ["docker", "buildx", "bake", "--file", "-", *targets]
    command.run(argv, cwd=folder.root, stdin=json.dumps({"target": targets})).require()
    assert len(_ids(built_names)) == 2


def test_a_folder_named_like_an_official_image_is_not_taken_for_it(folder: Folder) -> None:
    folder.write(
        compose_yaml=BUILT, ctx__Dockerfile="FROM python:latest\n", docker__python__Dockerfile="FROM scratch\n"
    )
    assert set(folder.load().images) == {"app"}


def test_the_base_may_be_another_service_s_image(folder: Folder) -> None:
    tools = "  tools:\n    image: case-tools:dev\n    build: {context: ctx, dockerfile: tools}\n"
    folder.write(compose_yaml=f"{BUILT}      args: {{IMAGE: case-tools:dev}}\n{tools}", ctx__tools="FROM scratch\n")
    folder.write(ctx__Dockerfile="ARG IMAGE\nFROM ${IMAGE}\nCOPY a /a\n")
    assert folder.load().image("app").parents == ("tools",)


def test_a_missing_env_file_with_an_example_beside_it(folder: Folder) -> None:
    folder.write(compose_yaml=f"{APP}    env_file: [.env]\n", _env_example="A=1\n")
    with pytest.raises(UsageError) as caught:
        folder.load()
    assert caught.value.advice == "`cp .env.example .env`"


def test_passwords_are_not_written_down_and_the_rest_is_kept(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write(
        compose_yaml=f"{BUILT}    environment: {{DB_PASSWORD: '${{DB_PASSWORD}}'}}\n", _env="DB_PASSWORD=hidden!\n"
    )
    folder.load()
    kept = "".join(path.read_text() for path in state_folder(folder.root).rglob("*") if path.is_file())
    assert "hidden!" not in kept
    assert NAME in kept
    asked: list[tuple[str, ...]] = []
    real = command.run
    monkeypatch.setattr(command, "run", lambda argv, **rest: (asked.append(tuple(argv)), real(argv, **rest))[1])
    again = folder.load()
    assert (again.image("app").tags, again.services["app"].is_built) == ((NAME,), True)
    assert asked == []
    assert again.services["app"].definition["environment"] == {"DB_PASSWORD": "hidden!"}
    assert len(asked) == 1


@pytest.fixture
def built_names(folder: Folder) -> Iterator[list[str]]:
    names: list[str] = []
    yield names
    command.run(["docker", "image", "rm", "--force", *names])


def test_compose_and_bake_with_the_definitions_make_the_same_images(folder: Folder, built_names: list[str]) -> None:
    text = f"""services:
  web.eu:
    build: {{context: ctx, args: {{A: "$${{x}} 1"}}, labels: {{own: "yes"}}, tags: ["{NAME}-second:1"]}}
  arm:
    image: {NAME}-arm
    platform: linux/arm64
    build: ctx
  base:
    image: {NAME}-base
    build: {{context: ctx, dockerfile_inline: "FROM scratch\\nCOPY a /a\\n"}}
  top:
    build:
      context: ctx
      dockerfile_inline: "FROM base\\nARG X\\nENV X=$${{X}}\\n"
      additional_contexts: {{base: "service:base"}}
      args: {{X: "x"}}
"""
    folder.write(
        compose_yaml=text, ctx__Dockerfile="FROM scratch\nARG A\nENV A=$A\nARG TARGETARCH\nCOPY a /$TARGETARCH\n"
    )
    built_names += [f"{NAME}-{name}" for name in ("web.eu", "second:1", "arm", "base", "top")]
    command.run(["docker", "compose", "build"], cwd=folder.root).require()
    theirs = _ids(built_names)
    command.run(["docker", "image", "rm", "--force", *built_names]).require()
    images = folder.load().images
    targets = {name: dict(image.definition) for name, image in images.items()}
    argv = ["docker", "buildx", "bake", "--file", "-", *targets]
    command.run(argv, cwd=folder.root, stdin=json.dumps({"target": targets})).require()
    assert _ids(built_names) == theirs


def test_the_commonest_shape_is_fresh_the_second_time(
    folder: Folder, built_names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`COPY . .` in the project's root, without an ignore file, in a time zone whose offset Buildx writes."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    folder.write(
        compose_yaml=f"{APP}    build: .\n", Dockerfile=f"FROM scratch\nCOPY . /\nCOPY <<E /n\n{folder.root}\nE\n"
    )
    built_names.append(NAME)
    assert [_actions(folder) for _ in range(2)] == [{"app": "built"}, {"app": "fresh"}]
    found = find(NAME)
    assert found
    layers = read_content(NAME, found.layers).layers.values()
    sent = {path.strip("/") for layer in layers for path in layer}
    assert sent == {"Dockerfile", "compose.yaml", "ctx", "ctx/Dockerfile", "ctx/a", "n"}


def test_a_tag_that_is_added_is_made(folder: Folder, built_names: list[str]) -> None:
    folder.write(compose_yaml=BUILT)
    built_names += [NAME, f"{NAME}-second:1"]
    _actions(folder)
    folder.write(compose_yaml=f"{BUILT}      tags: [{NAME}-second:1]\n")
    assert _actions(folder) == {"app": "built"}
    assert len(set(_ids(built_names))) == 1
    assert _actions(folder) == {"app": "fresh"}


def _actions(folder: Folder) -> dict[str, str]:
    return {one.image: one.action for one in build(folder.load(), ["app"]).images}


def _ids(names: list[str]) -> list[str]:
    argv = ["docker", "image", "inspect", "--format", "{{.Id}} {{.Architecture}}", *names]
    return command.run(argv).require().stdout.splitlines()
