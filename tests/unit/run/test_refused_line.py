"""The line of a service's definition that the engine refuses."""

from pathlib import Path
from typing import Any

import pytest

from layerstack.command import CommandResult
from layerstack.engine.texts import cause_of
from layerstack.project.compose_source import read_source
from layerstack.project.project import Project, Service
from layerstack.run.refused_line import find_refused
from layerstack.run.start_failure import compose_failed

COMPOSE = """services:
  web:
    image: device
    command: ["open", "/dev/ttyUSB0"]
    mem_limit: 64
    cpus: 100
    devices:
      - "/dev/ttyUSB0:/dev/ttyUSB0"
    sysctls:
      vm.max_map_count: 262144
    security_opt: ["seccomp:./seccomp.json"]
    logging: {driver: fluentd, options: {fluentd-address: "127.0.0.1:24224"}}
    network_mode: container:vpn
    labels: {told: "of nothing known"}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    file = tmp_path / "compose.yml"
    file.write_text(COMPOSE)
    definition: Any = read_source(tmp_path, [file]).value("services", "web")
    return Project(tmp_path, "shop", "cpu", (file,), (), {}, {"web": Service("web", "device", (), definition)})


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("Minimum memory limit allowed is 6MB", 5),
        ("range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available", 6),
        ('error gathering device information while adding custom device "/dev/ttyUSB0": no such file or directory', 8),
        ('sysctl "vm.max_map_count" is not in a separate kernel namespace', 10),
        ("opening seccomp profile (./seccomp.json) failed: open /shop/seccomp.json: no such file or directory", 11),
        ("failed to initialize logging driver: dial tcp 127.0.0.1:24224: connect: connection refused", 12),
        ("joining network namespace of container: No such container: vpn", 13),
        ("of nothing known", 0),
    ],
)
def test_the_line_is_found_by_the_engines_words(shop: Project, said: str, line: int) -> None:
    found = find_refused(shop, "web", said)
    assert (found.place if found else "") == (f"compose.yml:{line}" if line else "")


def test_what_compose_itself_refuses_for_a_container_is_named(shop: Project) -> None:
    reason = "opening seccomp profile (./seccomp.json) failed: open /shop/seccomp.json: no such file or directory"
    said = f" Container shop-web-1  Recreate\n Container shop-web-1  {reason}\n{reason}\n"
    found = compose_failed(shop, CommandResult(("docker",), 1, "", said, 0.1))
    assert reason in str(found).splitlines()[0]
    assert "compose.yml:11" in found.advice


def test_a_refusal_of_several_lines_is_one_reason(shop: Project) -> None:
    reason = (
        "Error response from daemon: invalid endpoint settings:\nno configured subnet contains the IP address 10.9.9.5"
    )
    said = f" Container shop-web-1  Recreate\n Container shop-web-1  {reason}\n{reason}\n"
    found = compose_failed(shop, CommandResult(("docker",), 1, "", said, 0.1))
    assert "make web" in str(found).splitlines()[0]
    assert "10.9.9.5" in str(found).splitlines()[0]


def test_the_names_of_the_engines_layers_are_left_out() -> None:
    layers = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
    assert cause_of(f'{layers}failed: sysctl "x" is not known') == 'sysctl "x" is not known'
    assert cause_of("port is already allocated") == "port is already allocated"
