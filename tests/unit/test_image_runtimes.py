"""What the name of an image promises."""

from datetime import date

import pytest

from layerstack.image_runtimes import read_runtimes, suggest

DAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("reference", "runtimes"),
    [
        ("node:18-alpine", ["Node.js 18"]),
        ("node:18.20.4-alpine3.18", ["Node.js 18", "Alpine 3.18"]),
        ("python:3.9-slim-bullseye", ["Python 3.9", "Debian 11"]),
        ("stand-in/node:18-bookworm", ["Node.js 18", "Debian 12"]),
        ("registry.example:5000/mirror/node:20", ["Node.js 20"]),
        ("docker.io/library/postgres:12@sha256:0123", ["PostgreSQL 12"]),
        ("nvidia/cuda:12.1.1-runtime-ubuntu20.04", ["Ubuntu 20.04"]),
        ("ubuntu:focal", ["Ubuntu 20.04"]),
        ("debian:bullseye-20240101-slim", ["Debian 11"]),
        ("mongo:6.0.5", ["MongoDB 6.0"]),
        ("golang:1.21", ["Go 1.21"]),
        *((name, []) for name in ("node", "node:lts", "node:alpine", "python:3", "my-node:18", "shop:18", "")),
        *((name, []) for name in ("localhost:5000/node", "cuda:12.1.1", "node:18x", "scratch", "${NODE}")),
    ],
)
def test_runtime_and_distribution_are_read_from_name_and_tag(reference: str, runtimes: list[str]) -> None:
    assert [one.text for one in read_runtimes(reference)] == runtimes


@pytest.mark.parametrize(
    ("reference", "newer"),
    [
        ("node:18-alpine", "node:22-alpine"),
        ("python:3.9-slim-bullseye", "python:3.11-slim-bookworm"),
        ("stand-in/node:18-bookworm", "node:22-bookworm"),
        ("registry.example:5000/node:18.20.4-alpine3.18", "registry.example:5000/node:22-alpine3.22"),
        ("ubuntu:20.04", "ubuntu:22.04"),
        ("ubuntu:focal", "ubuntu:jammy"),
        ("mongo:6.0", ""),
        ("nvidia/cuda:12.1.1-runtime-ubuntu20.04", ""),
    ],
)
def test_the_same_image_with_living_versions_is_suggested_where_it_can_be_told(reference: str, newer: str) -> None:
    assert suggest(reference, DAY) == newer
