"""Names of images: the tag that they mean."""

import pytest

from layerstack.dockerfile.references import familiar
from layerstack.project.image_name import full_name, host_of, is_same, repository_of


@pytest.mark.parametrize(
    ("written", "full", "short", "repository"),
    [
        ("base", "base:latest", "base", "base"),
        ("base:latest", "base:latest", "base", "base"),
        ("docker.io/library/base", "base:latest", "base", "base"),
        ("library/base:1", "base:1", "base:1", "base"),
        ("docker.io/team/base", "team/base:latest", "team/base", "team/base"),
        ("host:5000/base", "host:5000/base:latest", "host:5000/base", "host:5000/base"),
        ("host:5000/base:2", "host:5000/base:2", "host:5000/base:2", "host:5000/base"),
        ("base@sha256:12", "base@sha256:12", "base@sha256:12", "base"),
    ],
)
def test_a_name(written: str, full: str, short: str, repository: str) -> None:
    assert (full_name(written), familiar(written), repository_of(written)) == (full, short, repository)
    assert is_same(written, full)


def test_another_tag_is_another_image() -> None:
    assert not is_same("base", "base:1")


@pytest.mark.parametrize(
    ("reference", "host"),
    [
        ("node:18", "docker.io"),
        ("nvidia/cuda:12", "docker.io"),
        ("localhost/x", "localhost"),
        ("localhost:5000/x/y:1", "localhost:5000"),
        ("ghcr.test/a/b@sha256:0", "ghcr.test"),
    ],
)
def test_the_registry_of_a_reference(reference: str, host: str) -> None:
    assert host_of(reference) == host
