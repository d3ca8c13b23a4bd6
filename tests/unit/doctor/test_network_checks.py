"""Proxies and certificate bundles: of the shell, the engine, the docker client."""

import json
from pathlib import Path

import pytest

from layerstack.doctor import network_checks

ENGINE = {"HttpProxy": "http://proxy:1", "HttpsProxy": "http://proxy:1"}


@pytest.fixture(autouse=True)
def bare_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", *network_checks.BUNDLES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


def configure_client(folder: Path) -> None:
    proxies = {"httpProxy": "http://proxy:1", "httpsProxy": "http://proxy:1"}
    (folder / "config.json").write_text(json.dumps({"proxies": {"default": proxies}}))


def test_without_a_proxy_nothing_is_wrong() -> None:
    assert [one.severity for one in network_checks.check_shell_proxy()] == ["ok"]
    assert list(network_checks.check_engine_proxy({})) == []


def test_own_addresses_must_not_go_to_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:1")
    monkeypatch.setenv("NO_PROXY", "localhost,.corp")
    (found,) = network_checks.check_shell_proxy()
    assert found.severity == "warning"
    assert found.remedy == "export NO_PROXY=.corp,localhost,127.0.0.1"
    for kept in ("localhost,127.0.0.1", "localhost, 127.0.0.0/8,::1,10.0.0.0/8", "*"):
        monkeypatch.setenv("NO_PROXY", kept)
        assert [one.severity for one in network_checks.check_shell_proxy()] == ["ok"]


def test_the_variable_that_a_program_reads_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:1")
    monkeypatch.setenv("no_proxy", "localhost")
    (found,) = network_checks.check_shell_proxy()
    assert found.remedy == "export no_proxy=localhost,127.0.0.1"
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    (found,) = network_checks.check_shell_proxy()
    assert found.remedy == "export NO_PROXY=localhost,127.0.0.1 no_proxy=localhost,127.0.0.1"


def test_one_folder_of_a_list_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", f"{tmp_path}/gone:{tmp_path}")
    assert list(network_checks.check_bundles()) == []


def test_engine_and_builds_need_the_proxy_of_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy:1")
    found = list(network_checks.check_engine_proxy({}))
    assert [one.severity for one in found] == ["warning", "warning"]
    assert "daemon.json" in found[0].remedy
    assert str(tmp_path / "config.json") in found[1].remedy
    assert not any("secret" in one.remedy for one in found)
    configure_client(tmp_path)
    assert list(network_checks.check_engine_proxy(ENGINE)) == []


@pytest.mark.parametrize("name", network_checks.BUNDLES)
def test_a_bundle_must_be_there(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, str(tmp_path / "gone.pem"))
    (found,) = network_checks.check_bundles()
    assert (found.check, found.severity) == ("certificates", "warning")
    monkeypatch.setenv(name, str(tmp_path))
    assert list(network_checks.check_bundles()) == []
