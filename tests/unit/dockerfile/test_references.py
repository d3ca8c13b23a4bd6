"""Names of images and platforms."""

import pytest

from layerstack.dockerfile import references
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.named_context import find_context


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("base", "base"),
        ("base:latest", "base"),
        ("docker.io/library/base", "base"),
        ("index.docker.io/library/base:1", "base:1"),
        ("docker.io/me/base", "me/base"),
        ("localhost:5000/base:latest", "localhost:5000/base"),
    ],
)
def test_familiar_names(name: str, expected: str) -> None:
    assert references.familiar(name) == expected


def test_where_the_platform_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_DEFAULT_PLATFORM", raising=False)
    assert references.target_platform({}) == references.own_platform()
    monkeypatch.setenv("DOCKER_DEFAULT_PLATFORM", "linux/aarch64")
    assert references.target_platform({}) == "linux/arm64"
    assert references.target_platform({"platforms": ["linux/arm/v7"]}) == "linux/arm/v7"
    assert references.automatic_arguments("linux/arm/v7")["TARGETVARIANT"] == "v7"


def test_a_context_for_the_platform_goes_before_one_for_all() -> None:
    contexts = {"n": "all", "n::linux/amd64": "one", "base:latest": "never"}
    image = Image("app", ".", contexts=contexts, definition={"platforms": ["linux/amd64"]})
    assert find_context(image, "docker.io/library/n:latest") == "one"
    assert find_context(image, "n", "linux/arm64") == "one"  # what the definition says counts
    assert find_context(image, "base") is None
    assert find_context(image, "scratch") is None
