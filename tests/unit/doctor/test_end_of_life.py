"""Images whose runtime has ended: found where they are named, with what to set instead."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from compose_project import load

from layerstack.doctor import end_of_life, silence
from layerstack.finding import Finding

DAY = date(2026, 11, 27)


def check(root: Path, dockerfile: str = "FROM scratch\n", compose: str = "", day: date = DAY) -> list[Finding]:
    (root / "Dockerfile").write_text(dockerfile)
    project, source = load(root, compose or "services: { web: { build: . } }")
    return list(end_of_life.check_end_of_life(project, source, day))


def test_an_ended_base_is_a_warning_with_its_line_and_its_day(tmp_path: Path) -> None:
    (found,) = check(tmp_path, "# the base\nFROM node:18-alpine\nRUN true\n")
    assert (found.check, found.severity, found.place, found.service) == (
        "end-of-life",
        "warning",
        "Dockerfile:2",
        "web",
    )
    assert "2025-04-30" in found.detail
    assert found.remedy.endswith("node:22-alpine")


def test_it_is_none_until_its_last_day_is_over(tmp_path: Path) -> None:
    assert [one.severity for one in check(tmp_path, "FROM node:18-alpine\n", day=date(2025, 4, 30))] == ["ok"]


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [({"NODE_IMAGE": "node:16"}, "Set NODE_IMAGE=node:22"), ({}, "Set the ARG NODE_IMAGE=node:22-alpine")],
)
def test_the_variable_of_a_from_is_named(tmp_path: Path, arguments: dict[str, str], remedy: str) -> None:
    (tmp_path / "Dockerfile").write_text("ARG NODE_IMAGE=node:18-alpine\nFROM ${NODE_IMAGE}\n")
    project, source = load(tmp_path, "services: { web: { build: . } }")
    web = replace(project.images["web"], args=arguments)
    (found,) = end_of_life.check_end_of_life(replace(project, images={"web": web}), source, DAY)
    assert (found.remedy, found.place) == (remedy, "Dockerfile:2")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("FROM --platform=$BUILDPLATFORM node:18-alpine AS build\n", "Name a newer image: node:22-alpine"),
        ("ARG VERSION=18\nFROM node:${VERSION}-alpine\n", "Name a newer image: node:22-alpine"),
        ('ARG NODE="node:18"\nFROM --platform=linux/amd64 "${NODE:-x}"\n', "Set the ARG NODE=node:22"),
    ],
)
def test_a_variable_that_is_not_the_whole_name_is_not_to_be_set_to_one(tmp_path: Path, text: str, remedy: str) -> None:
    (found,) = check(tmp_path, text)
    assert found.remedy == remedy


def test_an_image_that_a_service_runs_is_looked_at_too(tmp_path: Path) -> None:
    text = "services:\n  db:\n    image: ${DB_IMAGE:-postgres:12}\n  cache: { image: 'redis:5' }\n"
    project, source = load(tmp_path, text)
    services = {**project.services, "db": replace(project.services["db"], image="postgres:12")}
    (found,) = end_of_life.check_end_of_life(replace(project, services=services), source, DAY)
    assert (found.severity, found.service, found.remedy) == ("warning", "db", "Set DB_IMAGE=postgres:15")
    assert found.place == "compose.yaml:3"


def test_an_image_that_several_use_is_told_once_and_unused_stages_not_at_all(tmp_path: Path) -> None:
    text = "FROM python:3.8 AS unused\nFROM node:18 AS one\nFROM one AS two\nFROM node:18\nCOPY --from=two /a /a\n"
    assert [one.place for one in check(tmp_path, text)] == ["Dockerfile:2"]


def test_an_image_of_the_project_is_not_the_official_one(tmp_path: Path) -> None:
    text = "services: { node: { build: ., image: 'node:18' }, web: { image: 'node:18' } }"
    assert [one.severity for one in check(tmp_path, compose=text)] == ["ok"]


def test_without_a_newer_image_of_that_name_the_versions_are_named(tmp_path: Path) -> None:
    (found,) = check(tmp_path, "FROM nvidia/cuda:12.1.1-runtime-ubuntu20.04\n")
    assert "Ubuntu 22.04" in found.remedy


def test_it_can_be_silenced_by_its_name(tmp_path: Path) -> None:
    found = check(tmp_path, "FROM node:18-alpine\n")
    assert silence.split(found, silence.from_words(["end-of-life"])) == ([], found)
