"""What is said about the engine: versions, missing parts, too old parts, and why nothing answers."""

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_facts import FACTS

from layerstack.engine import api, engine
from layerstack.engine.endpoint import Endpoint
from layerstack.engine.unusable import HOW_TO_START, unreachable
from layerstack.errors import EngineError, NoRoom, StackError


def info(**changes: Any) -> dict[str, Any]:
    plugins = [{"Name": "buildx", "Version": "v0.29.1"}, {"Name": "compose", "Version": "2.40.3"}]
    answer = {
        "ServerVersion": "28.5.2",
        "Name": "elsewhere",
        "DockerRootDir": "/",
        "Driver": "overlay2",
        "Runtimes": {"runc": {}, "nvidia": {}},
        "ClientInfo": {"Plugins": plugins},
    }
    return {**answer, **changes}


@pytest.fixture
def docker_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a docker command on PATH that prints a text, complains and ends with a code."""

    def install(stdout: str, stderr: str = "", code: int = 0) -> None:
        (tmp_path / "out").write_text(stdout)
        (tmp_path / "err").write_text(stderr)
        program = tmp_path / "docker"
        program.write_text(f"#!/bin/sh\ncat {tmp_path}/out\ncat {tmp_path}/err >&2\nexit {code}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return install


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("v0.29.1-desktop.1", (0, 29, 1)),
        ("2.40.3+ds1-1", (2, 40, 3)),
        ("28.5.2+dfsg4", (28, 5, 2)),
        ("github.com/docker/buildx v0.17 abc", (0, 17)),
        ("Docker Compose version v5.0.0-rc.1", (5, 0, 0)),
        ("dev", ()),
        ("", ()),
    ],
)
def test_versions(text: str, numbers: tuple[int, ...]) -> None:
    assert engine.parse_version(text) == numbers


def test_facts_come_from_one_call(docker_says: Any) -> None:
    docker_says(json.dumps(info()))
    facts = engine.read_facts()
    assert (facts.server_version, facts.buildx_version, facts.compose_version) == ("28.5.2", "v0.29.1", "2.40.3")


def test_disk_counts_only_on_the_engines_own_machine(docker_says: Any) -> None:
    docker_says(json.dumps(info()))
    assert engine.read_facts().disk_free_bytes is None
    docker_says(json.dumps(info(Name=socket.gethostname())))
    assert (engine.read_facts().disk_free_bytes or 0) > 0
    docker_says(json.dumps(info(Name=socket.gethostname(), DockerRootDir="/no/such/folder")))
    assert engine.read_facts().disk_free_bytes is None


def test_no_docker_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"no docker command.*\n.*--install-engine"):
        engine.read_facts()
    assert not engine.daemon_answers()


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
            "No Docker daemon responds",
        ),
        ("permission denied while trying to connect to the docker API", "This user has no permission(.|\n)*usermod"),
        ("dial tcp: lookup nowhere: no such host", "unknown host"),
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "certificate(.|\n)*ca.pem",
        ),
        (
            "Error response from daemon: Client sent an HTTP request to an HTTPS server.",
            "TLS(.|\n)*DOCKER_TLS_VERIFY=1",
        ),
        (
            "error during connect: http: server gave HTTP response to HTTPS client",
            "no TLS(.|\n)*unset DOCKER_TLS_VERIFY",
        ),
    ],
)
def test_why_no_daemon_answers(docker_says: Any, stderr: str, expected: str) -> None:
    docker_says(json.dumps(info(ServerVersion="")), stderr, code=1)
    with pytest.raises(EngineError, match=expected):
        engine.read_facts()


def test_an_answer_that_is_not_json(docker_says: Any) -> None:
    docker_says("Segmentation fault", code=139)
    with pytest.raises(EngineError, match="No Docker daemon responds"):
        engine.read_facts()


def test_podmans_stand_in_is_named(docker_says: Any) -> None:
    docker_says('{"host": {}, "version": {}}', "Emulate Docker CLI using podman.")
    with pytest.raises(EngineError, match="This is Podman"):
        engine.read_facts()
    docker_says(json.dumps(info(ServerVersion="5.8.6", DockerRootDir="/var/lib/containers/storage")))
    with pytest.raises(EngineError, match=r"This is Podman 5\.8\.6: it has no BuildKit"):
        engine.read_facts()


@pytest.mark.parametrize("name", ["buildx", "compose"])
def test_a_missing_or_broken_plugin_is_named(docker_says: Any, name: str) -> None:
    plugins = info()["ClientInfo"]["Plugins"]
    docker_says(json.dumps(info(ClientInfo={"Plugins": [one for one in plugins if one["Name"] != name]})))
    with pytest.raises(EngineError, match=f"no working {name} plugin"):
        engine.read_facts()
    broken = [{"Name": name, "Err": "exec format error"} if one["Name"] == name else one for one in plugins]
    docker_says(json.dumps(info(ClientInfo={"Plugins": broken})))
    with pytest.raises(EngineError, match=f"no working {name} plugin: exec format error"):
        engine.read_facts()


def test_a_ready_engine_is_ready() -> None:
    engine.require_ready(FACTS)
    engine.require_ready(replace(FACTS, disk_free_bytes=None))
    engine.require_ready(replace(FACTS, buildx_version="dev build"))


@pytest.mark.parametrize(
    ("change", "kind", "expected"),
    [
        ({"server_version": "20.10.24"}, EngineError, "Docker Engine 20.10.24 is too old: 23.0"),
        ({"buildx_version": "v0.16.2"}, EngineError, "Docker Buildx v0.16.2 is too old: 0.17"),
        ({"compose_version": "2.32.4"}, EngineError, "Docker Compose 2.32.4 is too old: 2.33"),
        ({"disk_free_bytes": 2 * engine.GIGABYTE}, NoRoom, "Only 2.00 GB are free in /var/lib/docker: 10.00 GB"),
    ],
)
def test_what_is_lacking_is_said(change: dict[str, Any], kind: type[StackError], expected: str) -> None:
    with pytest.raises(kind, match=expected):
        engine.require_ready(replace(FACTS, **change))


def test_all_that_is_lacking_is_said_at_once() -> None:
    with pytest.raises(EngineError) as raised:
        engine.require_ready(replace(FACTS, buildx_version="0.1.0", compose_version="1.29.2"))
    assert "Buildx 0.1.0" in str(raised.value)
    assert "Compose 1.29.2" in str(raised.value)


def test_client_without_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineError) as raised:
        engine.client()
    said = f"No Docker daemon responds at unix://{tmp_path}/none.sock: No such file or directory"
    assert raised.value.args[0] == said
    assert raised.value.advice == HOW_TO_START


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("('Connection aborted.', FileNotFoundError(2, 'No such file or directory'))", "No such file or directory"),
        (
            "HTTPConnectionPool(host='h', port=1): Max retries exceeded (Caused by NewConnectionError('<x>: Failed to "
            "establish a new connection: [Errno 111] Connection refused'))",
            "Connection refused",
        ),
        ("Cannot connect to the Docker daemon at tcp://h:1", "Cannot connect to the Docker daemon at tcp://h:1"),
    ],
)
def test_the_reason_is_what_the_system_said(said: str, shown: str) -> None:
    assert str(unreachable(said, Endpoint()).args[0]).endswith(f": {shown}")


def test_client_does_not_wait_for_a_silent_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "CONNECT_SECONDS", 0.2)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/silent.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{tmp_path}/silent.sock")
        server.listen()
        with pytest.raises(EngineError, match="does not respond"):
            engine.client()
