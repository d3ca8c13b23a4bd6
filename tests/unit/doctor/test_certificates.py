"""Extra certificate authorities of the machine, and images that do not have them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from compose_project import load

from layerstack.doctor import certificates
from layerstack.engine.api import ImageMissing
from layerstack.finding import Finding


def pem(body: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "authorities"
    place.mkdir()
    (place / "company.crt").write_text(pem("CCCC\nDDDD"))
    return place


def check(
    root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, bundle: str | None, step: str = "RUN true"
) -> list[Finding]:
    """A web image on node:18, whose bundle is this; None: node:18 is not here."""

    def inspect(reference: str) -> dict[str, str]:
        if bundle is None:
            raise ImageMissing(reference)
        return {"Id": f"sha256:{reference}{hash(bundle)}"}

    monkeypatch.setattr(certificates, "read_image_file", lambda *_: (bundle or "").encode())
    (root / "Dockerfile").write_text(f"FROM node:18\n{step}\n")
    project, _ = load(root, "services: { web: { build: . } }")
    client: Any = SimpleNamespace(api=SimpleNamespace(inspect_image=inspect))
    return list(certificates.check_images(client, project, [folder]))


def test_a_system_image_without_them_is_named(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = check(tmp_path, folder, monkeypatch, pem("AAAA"))
    assert (found.check, found.severity) == ("certificates", "warning")
    assert "node:18" in found.detail
    assert "company.crt" in found.detail


def test_a_system_image_that_has_them_is_fine(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = pem("AAAA") + pem("CCCCDDDD")
    assert [one.severity for one in check(tmp_path, folder, monkeypatch, bundle)] == ["ok"]


def test_a_dockerfile_that_installs_them_is_trusted(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check(tmp_path, folder, monkeypatch, pem("AAAA"), "RUN update-ca-certificates") == []
    assert check(tmp_path, folder, monkeypatch, pem("AAAA"), "RUN <<EOF\nupdate-ca-certificates\nEOF") == []


def test_images_that_are_not_here_are_passed_over(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [one.severity for one in check(tmp_path, folder, monkeypatch, None)] == ["ok"]


def test_without_extra_authorities_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "none"
    empty.mkdir()
    assert check(tmp_path, empty, monkeypatch, pem("AAAA")) == []
