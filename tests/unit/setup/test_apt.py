"""The machine's own package source: a stand-in apt-get shows what it is asked and what is made of its answers."""

from pathlib import Path

import pytest

from layerstack.errors import EngineError
from layerstack.setup import apt

INDEX_TARGETS = """\
http://m.test/debian/dists/bookworm/ http://m.test/debian/
http://m.test/debian/dists/bookworm-updates/ http://m.test/debian/
http://s.test/sec/dists/bookworm-security/ http://s.test/sec/
http://other.test/dists/nodistro/ http://other.test/
"""
MIRROR = apt.Mirror("bookworm", "http://m.test/debian", "http://s.test/sec")


class Apt:
    """A folder on PATH with pretended apt programs; every call is one line of `calls`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, name: str, script: str) -> None:
        program = self.folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.folder}/calls\n{script}\n')
        program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(apt, "_os_release", lambda: {"ID": "debian", "VERSION_CODENAME": "bookworm"})
    return Apt(tmp_path)


def test_the_mirror_is_read_from_the_machines_own_sources(programs: Apt) -> None:
    programs.install("apt-get", f"cat <<'END'\n{INDEX_TARGETS}END")
    assert apt.read_mirror() == MIRROR


def test_a_machine_without_a_debian_mirror_is_an_error(programs: Apt) -> None:
    programs.install("apt-get", "echo http://other.test/dists/nodistro/ http://other.test/")
    with pytest.raises(EngineError, match="no Debian mirror for its release"):
        apt.read_mirror()


def test_sources_are_signed_and_leave_out_unknown_security(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keyring = tmp_path / "key.gpg"
    monkeypatch.setattr(apt, "KEYRING", keyring)
    assert apt.Mirror("a", "http://m.test", None).sources("b") == ["deb http://m.test b main"]
    keyring.touch()
    assert MIRROR.sources("bullseye") == [
        f"deb [signed-by={keyring}] http://m.test/debian bullseye main",
        f"deb [signed-by={keyring}] http://s.test/sec bullseye-security main",
    ]


def test_installing_uses_lists_and_sources_of_its_own(programs: Apt) -> None:
    programs.install("dpkg", "")
    programs.install("apt-get", "")
    apt.install_packages(["runc", "tini"], MIRROR, print)
    update, install = (call for call in programs.calls if call.startswith("apt-get"))
    for call in (update, install):
        assert "Dir::Etc::SourceParts=-" in call
        assert "Dir::State::Lists=" in call
        assert "APT::Update::Error-Mode=any" in call
    assert update.endswith(" update")
    assert install.endswith("install --yes --no-install-recommends runc tini")


def test_an_interrupted_dpkg_is_finished_first(programs: Apt) -> None:
    programs.install("dpkg", '[ "$1" = --audit ] && echo "half-configured: runc"; true')
    programs.install("apt-get", "")
    said: list[str] = []
    apt.install_packages(["runc"], MIRROR, said.append)
    assert programs.calls[:2] == ["dpkg --audit", "dpkg --configure -a"]
    assert "interrupted" in said[0]


def test_another_package_manager_is_waited_for_and_named_once(programs: Apt) -> None:
    programs.install("dpkg", "")
    waiting = "Waiting for cache lock: Could not get lock /x. It is held by process 7 (apt)"
    programs.install("apt-get", f'echo "{waiting}"; echo "{waiting}"')
    said: list[str] = []
    with apt.package_source(said.append, ["deb http://m.test a main"]):
        pass
    assert said == ["waiting for another package manager: Could not get lock /x. It is held by process 7 (apt)"]


def test_an_unreachable_mirror_is_an_error_with_apts_words(programs: Apt) -> None:
    programs.install("apt-get", 'echo "Reading"; echo "E: Failed to fetch http://m.test" >&2; exit 100')
    with pytest.raises(EngineError, match="E: Failed to fetch") as raised:
        apt.install_packages(["runc"], MIRROR, print)
    assert "Reading" not in str(raised.value)


def test_only_settings_for_reaching_the_mirror_are_taken_along(programs: Apt) -> None:
    wanted = ['Acquire::http::Proxy "http://p.test:3128";', 'Acquire::Check-Valid-Until "false";']
    other = ['Acquire::Languages "none";', 'APT::Install-Recommends "0";', 'Acquire::http "";']
    lines = "\n".join([*wanted, *other])
    programs.install("apt-config", f"cat <<'END'\n{lines}\nEND")
    assert list(apt.download_settings()) == wanted


def test_missing_packages(programs: Apt) -> None:
    programs.install("dpkg-query", 'echo "runc installed"; echo "tini config-files"')
    assert apt.missing_packages(["runc", "tini", "iptables"]) == ("tini", "iptables")
