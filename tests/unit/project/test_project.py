"""A project as bake and Compose resolve it; `docker` answers from a table."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_docker import FakeDocker
from hypothesis import given
from hypothesis import strategies as st

from layerstack.dockerfile.image import Image
from layerstack.errors import EngineError, UsageError
from layerstack.project import answers, project
from layerstack.project.dependency import in_start_order
from layerstack.project.project import Port, Project, Service
from layerstack.project.resolve import refuse_circle
from layerstack.project.service import read_service

GPU = {"resources": {"reservations": {"devices": [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]}}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "docker-compose.yml").touch()
    return folder


def of(*images: Image, services: tuple[str, ...] = ()) -> Project:
    known = {name: Service(name, "", (), {}) for name in services}
    return Project(Path("/p"), "p", "gpu", (Path("/p/c.yml"),), (), {one.name: one for one in images}, known)


def load(docker: FakeDocker, root: Path, targets: dict[str, Any], config: dict[str, Any]) -> Project:
    say(docker, targets, config)
    return project.load(root, "cpu")


def say(docker: FakeDocker, targets: dict[str, Any], config: dict[str, Any]) -> None:
    """What Compose and bake say of the project."""
    printed = json.dumps({"group": {}, "target": targets})
    docker.answers("buildx bake *", printed)
    docker.answers("compose *", yaml.safe_dump({"name": "shop", **config}))
    docker.answers("compose *build --print", printed)


def service(definition: dict[str, Any]) -> Service:
    return read_service("web", definition, "shop")


def test_images_and_services_are_what_the_tools_say(docker: FakeDocker, root: Path) -> None:
    targets = {
        "base": {"context": "docker/base", "dockerfile": "Dockerfile", "args": {"V": 1}, "tags": ["base:latest"]},
        "web": {"context": "web", "target": "runtime", "contexts": {"base": "target:base", "lock": "locks"}},
    }
    config = {
        "services": {"web": {"build": {"context": "web"}, "x-layerstack": {"edit": "a.py"}}, "db": {"image": "d"}}
    }
    found = load(docker, root, targets, config)
    assert (found.name, found.device) == ("shop", "cpu")
    assert found.images["base"].args == {"V": "1"}
    assert found.images["web"].parents == ("base",)
    assert [image.name for image in found.base_images] == ["base"]
    assert [image.name for image in found.service_images] == ["web"]
    assert found.services["web"].settings.edit == "a.py"
    assert [found.services[name].is_built for name in ("web", "db")] == [True, False]


def test_a_text_that_compose_prints_without_quotes_stays_a_text(docker: FakeDocker, root: Path) -> None:
    printed = "name: shop\nservices:\n  web:\n    image: w\n    environment:\n      A: =\n      B: <<\n"
    docker.answers("compose *", printed)
    docker.answers("compose *build --print", "{}")
    assert project.load(root, "cpu").services["web"].definition["environment"] == {"A": "=", "B": "<<"}


@pytest.mark.parametrize("place", ["", "elsewhere"])
def test_bake_files_that_the_environment_names_take_the_place_of_others(
    docker: FakeDocker, root: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = root / place
    for path in (root / "docker-bake.hcl", folder / "one.hcl", folder / "two.json"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BUILDX_BAKE_FILE", "one.hcl:compose.yaml: two.json")
    found = load(docker, root, {"web": {"context": "."}}, {})
    assert found.bake_files == (folder / "one.hcl", folder / "two.json")
    [bake] = [call for call in docker.calls if call.startswith("buildx")]
    assert [word for word in bake.split() if word.endswith((".hcl", ".json"))] == [
        str(Path(place, name)) for name in ("one.hcl", "two.json")
    ]
    monkeypatch.setenv("BUILDX_BAKE_FILE", "none.hcl")
    with pytest.raises(UsageError, match="BUILDX_BAKE_FILE"):
        project.load(root, "cpu")


def test_all_that_an_image_is_built_on_stays_though_its_services_are_inactive(docker: FakeDocker, root: Path) -> None:
    services = {name: {"profiles": ["x"], "build": "."} for name in ("one", "two", "three")} | {"web": {"build": "."}}
    (root / "docker-compose.yml").write_text(json.dumps({"services": services}))
    (root / "docker-bake.hcl").touch()
    targets = {
        "web": {"contexts": {"one": "target:one"}},
        "one": {"contexts": {"two": "target:two"}},
        "two": {},
        "three": {},
    }
    found = load(docker, root, targets, {"services": {"web": {"build": "."}}})
    assert found.images.keys() == {"web", "one", "two"}


def test_an_image_without_a_tag_gets_the_one_that_compose_gives_it(docker: FakeDocker, root: Path) -> None:
    found = load(docker, root, {"web": {"context": "."}}, {"services": {"web": {"build": "."}}})
    assert found.image("web").tag == found.services["web"].image == "shop-web"


def test_compose_is_asked_about_its_files_and_bake_about_its_own_only(docker: FakeDocker, root: Path) -> None:
    for name in (
        "docker-bake.hcl",
        "docker-bake.override.json",
        "docker-compose.cpu.yml",
        "docker-compose.override.yml",
    ):
        (root / name).touch()
    load(docker, root, {"web": {"context": "."}}, {})
    [bake] = [call for call in docker.calls if call.startswith("buildx")]
    compose = [call for call in docker.calls if call.startswith("compose")]
    files = ["docker-compose.yml", "docker-compose.override.yml", "docker-compose.cpu.yml"]
    assert len(compose) == 2
    for call in compose:
        assert [Path(word).name for word in call.split() if word.endswith(".yml")] == files
    words = bake.split()
    assert [words[index + 1] for index, word in enumerate(words) if word == "--file"] == [
        "-",
        "docker-bake.hcl",
        "docker-bake.override.json",
    ]
    assert words[-1] == "web"


def test_more_targets_come_besides_the_default_ones(docker: FakeDocker, root: Path) -> None:
    (root / "docker-bake.hcl").write_text('group "default" { targets = ["base"] }')
    say(docker, {"web": {"context": "."}}, {})
    project.load(root, "gpu", ["tests"])
    assert any(call.endswith("--print default web tests") for call in docker.calls)


def test_a_compose_file_that_does_not_parse_is_a_usage_error_with_the_reason(docker: FakeDocker, root: Path) -> None:
    (root / "docker-compose.yml").write_text("services:\n  web:\n    ports: 1\n")
    docker.answers("compose *", stderr="services.web.ports must be a list", exit_code=15)
    with pytest.raises(UsageError, match=r"docker-compose\.yml:3: .*ports must be a list") as caught:
        project.load(root, "gpu")
    assert "docker-compose.yml:3" in caught.value.advice


def test_a_bake_file_that_does_not_parse_is_a_usage_error_with_the_reason(docker: FakeDocker, root: Path) -> None:
    (root / "docker-bake.hcl").touch()
    say(docker, {"web": {"context": "."}}, {})
    docker.answers("buildx bake *", stderr="#1 reading\nERROR: docker-bake.hcl:3: Invalid", exit_code=1)
    with pytest.raises(UsageError, match=r"docker-bake\.hcl:3: Invalid"):
        project.load(root, "gpu")


def test_a_missing_plugin_is_an_engine_error(docker: FakeDocker, root: Path) -> None:
    docker.answers("*", stderr="docker: 'compose' is not a docker command.", exit_code=1)
    with pytest.raises(EngineError, match="plugin is missing"):
        project.load(root, "gpu")


def test_no_compose_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=str(tmp_path)):
        project.load(tmp_path, "gpu")
    with pytest.raises(UsageError, match="or above it"):
        project.find_root(tmp_path)


def test_the_root_is_the_nearest_folder_upwards(root: Path) -> None:
    below = root / "a" / "b"
    below.mkdir(parents=True)
    assert project.find_root(below) == root
    (root / "a" / "compose.yaml").touch()
    assert project.find_root(below) == root / "a"


def test_unknown_names_come_with_the_nearest() -> None:
    stack = of(Image("backend-api", "."), Image("frontend", "."), services=("backend-api", "frontend"))
    with pytest.raises(UsageError, match="`backend`") as caught:
        stack.image("backend")
    assert "backend-api" in caught.value.advice
    with pytest.raises(UsageError, match="`frontent`") as caught:
        stack.service("frontent")
    assert caught.value.advice == "Did you mean frontend?"
    with pytest.raises(UsageError, match="zzz") as caught:
        stack.service("zzz")
    assert {"backend-api", "frontend"} <= set(caught.value.advice.strip(".").replace(",", "").split())


def test_an_image_is_found_by_its_tag_too() -> None:
    stack = of(Image("web", ".", tags=("shop-web:latest", "shop-web:1")))
    assert stack.image("shop-web:1").name == "web"


def test_a_service_that_runs_the_image_of_another_one_is_built_with_it(docker: FakeDocker, root: Path) -> None:
    targets = {"web": {"context": ".", "tags": ["shop/app:1"]}}
    services = {
        "web": {"build": ".", "image": "shop/app:1"},
        "worker": {"image": "docker.io/shop/app:1"},
        "db": {"image": "mongo:7"},
        "older": {"image": "shop/app:0"},
    }
    found = load(docker, root, targets, {"services": services})
    assert {name for name, one in found.services.items() if one.is_built} == {"web", "worker"}
    assert {name for name, one in found.services.items() if one.declares_build} == {"web"}
    # Nothing is built for the worker itself that could have another name.
    assert not found.misnamed


@pytest.mark.parametrize("name", ["db", "docker.io/library/mongo:7", "mongo:7"])
def test_an_image_that_is_only_run_is_called_that(name: str) -> None:
    stack = replace(of(Image("web", ".")), services={"db": Service("db", "mongo:7", (), {})})
    with pytest.raises(UsageError, match="not built here"):
        stack.image(name)


def test_a_circle_is_refused_with_its_path() -> None:
    stack = of(*(Image(name, ".", contexts={"x": f"target:{parent}"}) for name, parent in ("ab", "bc", "ca")))
    with pytest.raises(UsageError, match="a → b → c → a"):
        stack.with_parents(["a"])


def test_an_image_on_itself_is_a_circle() -> None:
    with pytest.raises(UsageError, match="a → a"):
        of(Image("a", ".", contexts={"x": "target:a"})).with_parents(["a"])


def test_parents_come_first_and_once() -> None:
    on = {"low": (), "left": ("low",), "right": ("low",), "top": ("left", "right")}
    stack = of(*(Image(name, ".", contexts={one: f"target:{one}" for one in parents}) for name, parents in on.items()))
    assert [image.name for image in stack.with_parents(["top", "low"])] == ["low", "left", "right", "top"]
    assert stack.with_parents([]) == ()


@given(st.data())
def test_every_parent_comes_before_its_child_in_any_graph(data: st.DataObject) -> None:
    names = [f"i{number}" for number in range(data.draw(st.integers(1, 8)))]
    images = [
        Image(name, ".", contexts={one: f"target:{one}" for one in data.draw(st.sets(st.sampled_from(names[:index])))})
        if index
        else Image(name, ".")
        for index, name in enumerate(names)
    ]
    wanted = data.draw(st.lists(st.sampled_from(names)))
    order = [image.name for image in of(*images).with_parents(wanted)]
    assert len(order) == len(set(order))
    assert set(wanted) <= set(order)
    for image in images:
        if image.name in order:
            assert all(order.index(parent) < order.index(image.name) for parent in image.parents)


def test_only_target_contexts_are_parents() -> None:
    contexts = {"a": "target:base", "b": "docker-image://base", "c": "folder"}
    assert Image("web", ".", contexts=contexts).parents == ("base",)


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ({"target": 80, "published": "8080", "host_ip": "127.0.0.1"}, [Port("127.0.0.1", 8080, 80)]),
        ({"target": 80, "published": 8080, "protocol": "tcp"}, [Port("", 8080, 80)]),
        ({"target": 80}, []),
        ({"target": 80, "published": "8000-8010"}, []),
        ({"target": 80, "published": "0"}, []),
        ({"target": 53, "published": "53", "protocol": "udp"}, []),
    ],
)
def test_ports_that_a_person_can_reach(port: dict[str, Any], expected: list[Port]) -> None:
    assert list(service({"ports": [port]}).ports) == expected


@pytest.mark.parametrize(
    ("host_ip", "host"),
    [("", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("10.0.0.7", "10.0.0.7")],
)
def test_the_address_of_a_port_is_one_to_connect_to(host_ip: str, host: str) -> None:
    assert Port(host_ip, 8080, 80).address == f"{host}:8080"


@pytest.mark.parametrize(
    ("deploy", "wants"),
    [
        (GPU, True),
        (None, False),
        ({}, False),
        ({"resources": None}, False),
        ({"resources": {"limits": {"memory": "1g"}}}, False),
        ({"resources": {"reservations": {"devices": [{"capabilities": ["tpu"]}]}}}, False),
    ],
)
def test_a_gpu_is_wanted_when_one_is_reserved(deploy: dict[str, Any] | None, wants: bool) -> None:
    assert service({"deploy": deploy}).wants_gpu is wants


@pytest.mark.parametrize(
    ("check", "has"),
    [
        (None, False),
        ({"test": ["CMD", "true"]}, True),
        ({"test": ["NONE"]}, False),
        ({"disable": True, "test": ["CMD", "true"]}, False),
    ],
)
def test_a_health_check_may_be_switched_off(check: dict[str, Any] | None, has: bool) -> None:
    assert service({"healthcheck": check}).has_health_check is has


def test_an_overlay_runs_the_same_images_under_another_name(docker: FakeDocker, root: Path) -> None:
    own = load(docker, root, {"web": {"context": ".", "tags": ["w"]}}, {"services": {"web": {"image": "w"}}})
    docker.answers("compose *", yaml.safe_dump({"name": "copy", "services": {"web": {"image": "w", "restart": "no"}}}))
    overlay = root / "overlay.yml"
    copy = project.with_overlay(own, "copy", overlay)
    assert copy.images == own.images
    assert (copy.name, copy.services["web"].definition["restart"]) == ("copy", "no")
    assert copy.environment["COMPOSE_PROJECT_NAME"] == "copy"
    assert copy.compose("up")[-3:] == ("--file", str(overlay), "up")
    assert str(overlay) not in own.compose("up")


def test_a_service_with_a_dot_is_the_target_that_bake_makes_of_it(docker: FakeDocker, root: Path) -> None:
    config = {"services": {"web.eu": {"build": {"context": "."}}}}
    found = load(docker, root, {"web_eu": {"context": "."}}, config)
    assert found.image("web.eu").tag == "shop-web.eu"
    assert [image.name for image in found.service_images] == ["web_eu"]
    assert found.base_images == ()


def test_the_escapes_of_what_bake_prints_are_taken_off(docker: FakeDocker, root: Path) -> None:
    (root / "docker-bake.hcl").touch()
    target = {"dockerfile-inline": "ARG A=b\nFROM $${A}\n", "args": {"FORMAT": "%%{x}"}, "context": "."}
    found = load(docker, root, {"web": target}, {"services": {"web": {"build": {"context": "."}}}})
    assert found.image("web").inline == "ARG A=b\nFROM ${A}\n"
    assert found.image("web").args == {"FORMAT": "%{x}"}
    assert found.image("web").definition == {**target, "tags": ["shop-web"]}


def test_without_a_bake_file_the_texts_of_compose_are_escaped_for_bake(docker: FakeDocker, root: Path) -> None:
    """Compose escapes `${` in arguments and inline Dockerfiles, and nothing else."""
    target = {"args": {"A": "$${x}", "B": "%{y}"}, "labels": {"l": "${z}"}, "context": "."}
    image = load(docker, root, {"web": target}, {"services": {"web": {"build": {"context": "."}}}}).image("web")
    assert image.args == {"A": "${x}", "B": "%{y}"}
    assert image.definition["args"] == {"A": "$${x}", "B": "%%{y}"}
    assert image.definition["labels"] == {"l": "$${z}"}


def test_a_base_with_a_build_line_is_part_of_the_graph(docker: FakeDocker, root: Path) -> None:
    for folder, text in (("web", "FROM base\n"), ("base", "FROM scratch\n")):
        (root / folder).mkdir()
        (root / folder / "Dockerfile").write_text(text)
    (root / "build.sh").write_text("docker build -t base base\n")
    config = {"services": {"web": {"build": {"context": "web"}}}}
    found = load(docker, root, {"web": {"context": "web"}}, config)
    assert [image.name for image in found.with_parents(["web"])] == ["base", "web"]
    assert found.image("web").definition["contexts"] == {"base": "target:base"}
    assert found.image("base").definition["context"] == "base"


def test_services_in_a_circle_are_refused_with_the_path_before_bake_refuses_them(
    docker: FakeDocker, root: Path
) -> None:
    builds = {name: {"context": ".", "additional_contexts": {"x": f"service:{other}"}} for name, other in ("ab", "ba")}
    services = {name: {"build": build} for name, build in builds.items()}
    docker.answers("compose *", yaml.safe_dump({"name": "shop", "services": services}))
    docker.answers("compose *build --print", stderr="infinite loop from b to a", exit_code=1)
    with pytest.raises(UsageError, match="a → b → a"):
        project.load(root, "gpu")


def test_a_compose_that_cannot_print_its_builds_leaves_them_to_bake(docker: FakeDocker, root: Path) -> None:
    config = {"services": {"web.eu": {"build": {"context": "."}}}}
    say(docker, {"web_eu": {"context": "."}}, config)
    docker.answers("compose *build --print", stderr="unknown flag: --print", exit_code=16)
    found = project.load(root, "cpu")
    assert found.image("web.eu").definition["tags"] == ["shop-web.eu"]
    assert found.fallback
    assert found.warnings == (found.fallback,)
    [bake] = [call for call in docker.calls if call.startswith("buildx")]
    assert str(root / "docker-compose.yml") in bake


def test_a_bake_file_alone_needs_no_service_to_build(docker: FakeDocker, root: Path) -> None:
    (root / "docker-bake.hcl").write_text('target "tool" {}')
    say(docker, {}, {"services": {"db": {"image": "mongo"}}})
    docker.answers("buildx bake *", stderr="ERROR: failed to find target default", exit_code=1)
    assert project.load(root, "cpu").images == {}


def test_the_image_of_a_service_is_its_own_or_another_one_s_by_the_tag(docker: FakeDocker, root: Path) -> None:
    config = {"services": {"web": {"image": "w:1", "build": "."}, "job": {"image": "w:1"}, "db": {"image": "mongo"}}}
    found = load(docker, root, {"web": {"context": ".", "tags": ["w:1"]}}, config)
    images = {name: found.image_of(service) for name, service in found.services.items()}
    assert {name: image.name if image else None for name, image in images.items()} == {
        "web": "web",
        "job": "web",
        "db": None,
    }


def test_paths_of_this_folder_are_shown_from_it(docker: FakeDocker, root: Path) -> None:
    target = {
        "context": str(root / "web"),
        "dockerfile": str(root / "web" / "docker" / "Dockerfile"),
        "contexts": {"lock": str(root / "locks"), "far": "/elsewhere", "base": "target:base", "git": "https://x/y.git"},
    }
    image = load(docker, root, {"web": target}, {"services": {"web": {"build": "web"}}}).image("web")
    assert (image.context, image.dockerfile) == ("web", "docker/Dockerfile")
    assert image.contexts == {
        "lock": "locks",
        "far": "/elsewhere",
        "base": "target:base",
        "git": "https://x/y.git",
    }
    assert image.definition["context"] == str(root / "web")


def test_build_secrets_of_env_files_reach_every_call(docker: FakeDocker, root: Path) -> None:
    (root / ".env").write_text("NPM_TOKEN=t0ken\n")
    config = {"services": {}, "secrets": {"npm": {"environment": "NPM_TOKEN"}, "file": {"file": "x"}}}
    assert load(docker, root, {}, config).environment["NPM_TOKEN"] == "t0ken"


def test_a_service_that_another_program_provides_is_not_started(docker: FakeDocker, root: Path) -> None:
    config = {"services": {"llm": {"provider": {"type": "model"}}, "web": {"image": "w", "depends_on": {"llm": None}}}}
    assert in_start_order(load(docker, root, {}, config)) == ("web",)


def test_an_answer_that_another_version_kept_is_asked_again(
    docker: FakeDocker, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kept in ({"answer": {"name": "old", "services": {}, "unknown": 1}, "sources": []}, {}, [], None):
        monkeypatch.setattr(answers, "recall", lambda *_, kept=kept: kept)
        assert load(docker, root, {}, {}).name == "shop"


def test_env_files_of_the_environment_are_named_to_compose(
    docker: FakeDocker, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "below").mkdir()
    monkeypatch.chdir(root / "below")
    monkeypatch.setenv("COMPOSE_ENV_FILES", "../.env")
    (root / ".env").touch()
    assert f"--env-file {root / '.env'}" in " ".join(load(docker, root, {}, {}).compose("up"))


def test_what_a_kept_answer_leaves_out_is_asked_once(docker: FakeDocker, root: Path) -> None:
    services = {name: {"image": name, "environment": {"A": name}, "command": ["x"]} for name in ("web", "db")}
    load(docker, root, {}, {"services": services})
    asked = len(docker.calls)
    again = project.load(root, "cpu")
    assert [again.services[name].image for name in ("web", "db")] == ["web", "db"]
    assert "healthcheck" not in again.services["web"].definition
    assert again.services["web"].definition.get("healthcheck") is None
    assert len(docker.calls) == asked
    assert dict(again.services["db"].definition) == services["db"]
    assert again.services["web"].definition["environment"] == {"A": "web"}
    assert len(docker.calls) == asked + 1


def test_reading_a_project_loads_no_module_for_gpus_and_no_yaml() -> None:
    """What only reads decides no device; a kept answer needs no parser."""
    code = "import sys, layerstack.project.project; print([name for name in sys.modules if name.startswith(WANTED)])"
    code = code.replace("WANTED", "('layerstack.gpu', 'yaml', 'docker.', 'rich')")
    argv = [sys.executable, "-c", code]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_target_that_is_only_linked_is_named_to_bake_too(docker: FakeDocker, root: Path) -> None:
    """Bake prints it with an output of its own making otherwise."""
    (root / "docker-bake.hcl").touch()
    web = {"context": ".", "contexts": {"base": "target:base"}, "output": [{"type": "docker"}]}
    say(docker, {"web": web}, {"services": {"web": {"build": "."}}})
    linked = {"context": "base", "output": [{"type": "cacheonly"}]}
    docker.answers("buildx bake *--print web", json.dumps({"target": {"web": web, "base": linked}}))
    docker.answers("buildx bake *--print web base", json.dumps({"target": {"web": web, "base": {"context": "base"}}}))
    assert "output" not in project.load(root, "cpu").images["base"].definition


@pytest.mark.parametrize(
    ("image", "tags", "is_misnamed"),
    [
        ("shop-web", ("shop-web:latest",), False),
        ("shop-web:cpu", ("other", "docker.io/library/shop-web:cpu"), False),
        ("shop-web:cpu", ("snow-web:cpu",), True),
    ],
)
def test_an_image_that_compose_does_not_find_under_its_name(
    tmp_path: Path, image: str, tags: tuple[str, ...], is_misnamed: bool
) -> None:
    service = Service("web", image, (), {"build": {}})
    built = Image("web", "web", tags=tags)
    found = Project(tmp_path, "shop", "cpu", (), (), {"web": built}, {"web": service})
    assert found.misnamed == ({"web": built} if is_misnamed else {})
    assert bool(found.warnings) is is_misnamed


def test_many_services_that_are_built_on_all_before_them_are_no_circle() -> None:
    names = [f"s{number}" for number in range(40)]
    build = {
        name: {"additional_contexts": {on: f"service:{on}" for on in names[:end]}} for end, name in enumerate(names)
    }
    refuse_circle({name: {"build": one} for name, one in build.items()})
    build["s0"] = {"additional_contexts": {"x": "service:s39"}}
    with pytest.raises(UsageError, match="circle"):
        refuse_circle({name: {"build": one} for name, one in build.items()})
