"""Health checks with localhost: only where the image's tool is BusyBox, by content or by the image's name."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from compose_project import load

from layerstack.doctor import health_checks
from layerstack.engine.api import ImageMissing
from layerstack.finding import Finding

WGET = "wget -q -O - http://localhost:8000/"


def check(root: Path, test: str, image: str = "image: node:18-alpine", client: Any | None = None) -> list[Finding]:
    text = f"services:\n  web:\n    {image}\n    healthcheck:\n      test: '{test}'\n"
    return list(health_checks.check_localhost(client, *load(root, text)))


def engine_with(monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> Any:
    """An engine that has the image, and these files in it (path → mark)."""
    monkeypatch.setattr(
        health_checks,
        "read_image_trees",
        lambda client, root, image_id, paths, deadline: {
            path: {"": files[path]} if path in files else {} for path in paths
        },
    )
    return SimpleNamespace(api=SimpleNamespace(inspect_image=lambda reference: {"Id": "sha256:1"}))


@pytest.mark.parametrize("test", [WGET, f"/usr/bin/{WGET}", f"/bin/busybox {WGET}"])
def test_localhost_on_alpine_is_found_with_its_line(tmp_path: Path, test: str) -> None:
    (found,) = check(tmp_path, test)
    assert (found.check, found.severity, found.place) == ("health-localhost", "warning", "compose.yaml:5")


@pytest.mark.parametrize(
    ("test", "image"),
    [
        (WGET.replace("localhost", "127.0.0.1"), "image: node:18-alpine"),
        (WGET.replace("localhost", "localhost.example.com"), "image: node:18-alpine"),
        ("curl -f http://localhost:8000/", "image: node:18-alpine"),
        (WGET, "image: node:18"),
    ],
)
def test_other_hosts_tools_and_images_are_left_alone(tmp_path: Path, test: str, image: str) -> None:
    assert [one.severity for one in check(tmp_path, test, image)] == ["ok"]


@pytest.mark.parametrize(("wget", "severity"), [("8 aa", "warning"), ("9 bb", "ok")])
def test_an_image_that_is_here_is_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wget: str, severity: str
) -> None:
    client = engine_with(monkeypatch, {"/bin/busybox": "8 aa", "/usr/bin/wget": wget})
    assert [one.severity for one in check(tmp_path, WGET, "image: plain", client)] == [severity]


def test_the_name_does_not_count_when_the_image_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = engine_with(monkeypatch, {})
    assert [one.severity for one in check(tmp_path, WGET, client=client)] == ["ok"]


def test_a_built_image_that_is_not_here_is_judged_by_what_it_is_built_on(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM node:18-alpine\n")

    def absent(reference: str) -> None:
        raise ImageMissing(reference)

    client = SimpleNamespace(api=SimpleNamespace(inspect_image=absent))
    assert [one.severity for one in check(tmp_path, WGET, "build: .", client)] == ["warning"]


def test_a_health_check_of_the_dockerfile_counts_too(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM alpine\nHEALTHCHECK --interval=5s CMD {WGET}\n")
    (found,) = health_checks.check_localhost(None, *load(tmp_path, "services: { web: { build: . } }"))
    assert (found.severity, found.place) == ("warning", "Dockerfile:2")
    without = "services: { web: { build: ., healthcheck: { disable: true } } }"
    assert [one.severity for one in health_checks.check_localhost(None, *load(tmp_path, without))] == ["ok"]


WAITING = (
    "services: {{ db: {{ image: db{check} }}, api: {{ image: api, depends_on: {{ db: {{ condition: {on} }} }} }} }}"
)


@pytest.mark.parametrize(
    ("check", "of_image", "on", "severity"),
    [
        ("", None, "service_healthy", "error"),
        ("", ["CMD", "true"], "service_healthy", "ok"),
        (", healthcheck: { test: [CMD, 'true'] }", None, "service_healthy", "ok"),
        (", healthcheck: { disable: true }", ["CMD", "true"], "service_healthy", "error"),
        (", healthcheck: { test: [NONE] }", ["CMD", "true"], "service_healthy", "error"),
        ("", None, "service_started", "ok"),
    ],
)
def test_who_waits_for_the_health_of_a_service_without_a_check(
    tmp_path: Path, check: str, of_image: list[str] | None, on: str, severity: str
) -> None:
    facts = {"Id": "sha256:1", "Config": {"Healthcheck": {"Test": of_image} if of_image else None}}
    client: Any = SimpleNamespace(api=SimpleNamespace(inspect_image=lambda reference: facts))
    (found,) = health_checks.check_waits(client, *load(tmp_path, WAITING.format(check=check, on=on)))
    assert (found.severity, found.service) == (severity, "api" if severity == "error" else "")


def test_an_image_that_is_not_here_may_have_a_health_check(tmp_path: Path) -> None:
    def absent(reference: str) -> None:
        raise ImageMissing(reference)

    client: Any = SimpleNamespace(api=SimpleNamespace(inspect_image=absent))
    text = WAITING.format(check="", on="service_healthy")
    assert [one.severity for one in health_checks.check_waits(client, *load(tmp_path, text))] == ["ok"]
