"""What a project takes for granted beside itself, and that is missing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from compose_project import load

from layerstack.doctor import outside_checks
from layerstack.engine.api import ImageMissing

FILES = """\
services:
  api: { image: api, secrets: [token], configs: [{ source: site }] }
secrets:
  token: { file: ./token.txt }
configs:
  site: { file: "$FOLDER/site.conf" }
"""
OUTSIDE = """\
services:
  api:
    image: api
    networks: { proxy: }
    volumes: [{ type: volume, source: data, target: /data }, { type: bind, source: /srv, target: /srv }]
volumes:
  data: { name: shop_data, external: true }
  own: {}
networks:
  proxy: { external: true }
"""


def test_the_file_of_a_secret_is_missed(tmp_path: Path) -> None:
    (found,) = outside_checks.check_files(*load(tmp_path, FILES))
    assert (found.check, found.severity, found.place) == ("secret-file", "error", "compose.yaml:4")
    (tmp_path / "token.txt").write_text("x")
    assert [one.severity for one in outside_checks.check_files(*load(tmp_path, FILES))] == ["ok"]


def test_the_file_of_a_secret_may_be_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    text = FILES.replace("./token.txt", "~/token.txt")
    assert [one.severity for one in outside_checks.check_files(*load(tmp_path, text))] == ["error"]
    (tmp_path / "home" / "token.txt").write_text("x")
    assert [one.severity for one in outside_checks.check_files(*load(tmp_path, text))] == ["ok"]


def test_a_file_in_a_closed_folder_may_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(tmp_path, FILES)
    assert [one.severity for one in outside_checks.check_files(*loaded)] == ["error"]
    monkeypatch.setattr(outside_checks, "is_present", lambda _: None)
    assert [one.severity for one in outside_checks.check_files(*loaded)] == ["ok"]


def test_a_device_that_is_not_there_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    text = "services:\n  api:\n    image: api\n    devices: [{ source: SOURCE, target: /dev/x }]\n"
    for source, severity in ((tmp_path / "gone", "error"), (tmp_path, "ok"), ("nvidia.com/gpu=all", "ok")):
        (found,) = outside_checks.check_devices(*load(tmp_path, text.replace("SOURCE", str(source))))
        assert (found.check, found.severity) == ("device", severity)
    # The devices of another machine are not known here.
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")
    (found,) = outside_checks.check_devices(*load(tmp_path, text.replace("SOURCE", "/dev/gone")))
    assert found.severity == "ok"


@pytest.mark.parametrize("data", ["{ name: shop_data, external: true }", "{ external: { name: shop_data } }"])
@pytest.mark.parametrize(
    ("here", "commands"),
    [
        (("shop_data", "proxy"), [""]),
        (("proxy",), ["docker volume create shop_data"]),
        ((), ["docker volume create shop_data", "docker network create proxy"]),
    ],
)
def test_what_is_external_is_looked_for(tmp_path: Path, here: tuple[str, ...], commands: list[str], data: str) -> None:
    def inspect(name: str) -> dict[str, str]:
        if name not in here:
            raise ImageMissing(name)
        return {}

    client: Any = SimpleNamespace(api=SimpleNamespace(inspect_volume=inspect, inspect_network=inspect))
    loaded = load(tmp_path, OUTSIDE.replace("{ name: shop_data, external: true }", data))
    assert [one.remedy for one in outside_checks.check_external(client, *loaded)] == commands
