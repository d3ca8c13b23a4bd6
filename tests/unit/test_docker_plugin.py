"""Calls of Docker's plugins without the `docker` command in between."""

import json
from pathlib import Path

import pytest

from layerstack.docker_plugin import direct_call, plugin_files

BAKE = ("buildx", "bake", "--print")


@pytest.fixture
def docker(tmp_path: Path) -> str:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_bytes(b"\x7fELF and more")
    return str(program)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    plugins = tmp_path / "config" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").touch(mode=0o755)
    return {"DOCKER_CONFIG": str(tmp_path / "config")}


def test_a_plugin_is_called_itself(docker: str, environment: dict[str, str], tmp_path: Path) -> None:
    plugin = tmp_path / "config" / "cli-plugins" / "docker-buildx"
    assert direct_call(docker, BAKE, environment) == (str(plugin), "bake", "--print")


def test_other_commands_stay(docker: str, environment: dict[str, str]) -> None:
    assert direct_call(docker, ("ps",), environment) == (docker, "ps")
    assert direct_call(docker, (), environment) == (docker,)


def test_a_script_or_another_program_called_docker_stays(
    docker: str, environment: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "docker"
    script.write_text('#!/bin/sh\nexec podman "$@"\n')
    link = tmp_path / "snap" / "docker"
    link.parent.mkdir()
    link.symlink_to(Path(docker).rename(Path(docker).with_name("podman")))
    for program in (script, link, tmp_path / "nothing" / "docker"):
        assert direct_call(str(program), BAKE, environment) == (str(program), *BAKE)


def test_a_plugin_that_may_not_run_leaves_the_call_to_docker(
    docker: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "config" / "cli-plugins" / "docker-buildx").chmod(0o644)
    assert direct_call(docker, BAKE, environment) == (docker, *BAKE)


def test_a_link_that_leads_nowhere_is_passed_over_as_docker_does(
    docker: str, environment: dict[str, str], tmp_path: Path
) -> None:
    extra = tmp_path / "extra"
    extra.mkdir()
    (tmp_path / "config" / "config.json").write_text(json.dumps({"cliPluginsExtraDirs": [str(extra)]}))
    (extra / "docker-buildx").symlink_to(tmp_path / "gone")
    assert next(plugin_files("buildx", environment)) == extra / "docker-buildx"
    assert direct_call(docker, BAKE, environment)[0].startswith(str(tmp_path / "config"))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"cliPluginsExtraDirs": 5}'])
def test_a_config_that_cannot_be_read_names_no_folder(environment: dict[str, str], tmp_path: Path, text: str) -> None:
    (tmp_path / "config" / "config.json").write_text(text)
    assert next(plugin_files("compose", environment)) == tmp_path / "config" / "cli-plugins" / "docker-compose"
