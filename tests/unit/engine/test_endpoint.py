"""The docker command's own choice of an engine: variables, contexts, TLS files."""

import json
from pathlib import Path
from typing import Any

import fake_docker
import pytest

from layerstack.engine.endpoint import DEFAULT_HOST, Endpoint, find_endpoint
from layerstack.engine.place import find_place
from layerstack.errors import EngineError


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder


def certificates(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("ca", "cert", "key"):
        (folder / f"{name}.pem").write_text(name)
    return folder


def context(host: str, tls_path: Path | None = None, **endpoint: Any) -> str:
    material = {"docker": ["ca.pem", "cert.pem", "key.pem"]} if tls_path else {}
    storage = {"TLSPath": str(tls_path or "<IN MEMORY>")}
    return json.dumps(
        [{"Endpoints": {"docker": {"Host": host, **endpoint}}, "TLSMaterial": material, "Storage": storage}]
    )


def test_by_default_it_is_the_local_socket_and_nothing_is_asked(docker: fake_docker.FakeDocker) -> None:
    assert find_endpoint() == Endpoint(DEFAULT_HOST)
    assert not find_endpoint().is_chosen
    assert find_endpoint().socket_path == "/var/run/docker.sock"
    assert docker.calls == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"currentContext": "default"}', '{"currentContext": null}'])
def test_a_configuration_that_names_no_context(config: Path, docker: fake_docker.FakeDocker, text: str) -> None:
    (config / "config.json").write_text(text)
    assert not find_endpoint().is_chosen
    assert docker.calls == []


def test_a_context_counts_without_a_config_file(
    docker: fake_docker.FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.answers("context inspect eb", context("unix:///run/eb.sock"))
    monkeypatch.setenv("DOCKER_CONTEXT", "eb")
    assert find_endpoint() == Endpoint("unix:///run/eb.sock", "eb")
    assert find_endpoint().is_chosen


def test_the_current_context_of_the_config_file(config: Path, docker: fake_docker.FakeDocker, tmp_path: Path) -> None:
    (config / "config.json").write_text('{"currentContext": "there"}')
    tls = certificates(tmp_path / "tls" / "docker")
    docker.answers("context inspect there", context("tcp://10.0.0.7:2376", tls.parent, SkipTLSVerify=False))
    files = [str(tls / f"{name}.pem") for name in ("ca", "cert", "key")]
    assert find_endpoint() == Endpoint("tcp://10.0.0.7:2376", "there", True, True, *files)
    docker.answers("context inspect there", context("tcp://10.0.0.7:2376", SkipTLSVerify=True))
    assert find_endpoint() == Endpoint("tcp://10.0.0.7:2376", "there", True, False)


def test_a_context_that_does_not_exist(docker: fake_docker.FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.answers("context inspect gone", "[]\n", 'context "gone" does not exist', 1)
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    with pytest.raises(EngineError, match="gone"):
        find_endpoint()


def test_docker_host_wins_over_contexts(
    config: Path, docker: fake_docker.FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    (config / "config.json").write_text('{"currentContext": "there"}')
    monkeypatch.setenv("DOCKER_CONTEXT", "eb")
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.7:2375")
    assert find_endpoint() == Endpoint("tcp://10.0.0.7:2375")
    assert docker.calls == []


@pytest.mark.parametrize(("variable", "is_verified"), [("DOCKER_TLS_VERIFY", True), ("DOCKER_TLS", False)])
def test_tls_of_variables(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, is_verified: bool
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.7:2376")
    monkeypatch.setenv(variable, "1")
    certificates(config)
    assert find_endpoint().ca_file == str(config / "ca.pem")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates(tmp_path / "certs")))
    found = find_endpoint()
    assert (found.has_tls, found.is_verified) == (True, is_verified)
    assert found.key_file == str(tmp_path / "certs" / "key.pem")


def test_tls_variables_mean_nothing_to_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/x.sock")
    assert not find_endpoint().has_tls


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("", ""),
        ("unix:///run/x.sock", ""),
        ("tcp://127.0.0.1:2375", ""),
        ("tcp://[::1]:2375", ""),
        ("tcp://builder.test:2376", "builder.test"),
        ("ssh://me@builder.test", "builder.test"),
    ],
)
def test_where_the_engine_is(host: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    assert find_place().host == place


def test_an_ssh_engine_of_a_context(docker: fake_docker.FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.answers("context inspect far", context("ssh://me@builder.test"))
    monkeypatch.setenv("DOCKER_CONTEXT", "far")
    assert find_place().host == "builder.test"
