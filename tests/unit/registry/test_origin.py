"""Where a shared base was built: its own label counts, not the one of what it is built on."""

from dataclasses import replace

import pytest

from layerstack.engine.images import Layer, StoredImage
from layerstack.moment import local_time, read_time
from layerstack.registry.origin import INPUTS_LABEL, ORIGIN_LABEL, here, read_origin, with_origin

ORIGIN = replace(here("sha256:a", "2026-11-28T03:31:05.1Z", "first-build"), by="ann@ci")
LABELS = {INPUTS_LABEL: "sha256:a", ORIGIN_LABEL: ORIGIN.to_label()}


def layer(kind: str, labels: dict[str, str]) -> Layer:
    return Layer(kind, "base:latest", StoredImage("id", (), 1, "", labels, ()))


def test_it_says_when_and_by_whom() -> None:
    assert read_origin(LABELS) == ORIGIN
    assert str(ORIGIN) == f"from the registry, built on {local_time(read_time(ORIGIN.built))} by ann@ci"
    assert "@" in here("", "", "").by


@pytest.mark.parametrize(
    "labels", [{}, {**LABELS, INPUTS_LABEL: "sha256:b"}, {ORIGIN_LABEL: "[]"}, {ORIGIN_LABEL: "no json"}]
)
def test_the_label_of_another_image_does_not_count(labels: dict[str, str]) -> None:
    assert read_origin(labels) is None


def test_a_service_is_not_from_where_its_base_is() -> None:
    assert with_origin(layer("base", LABELS)).origin == str(ORIGIN)
    assert with_origin(layer("service", LABELS)).origin == ""
    assert with_origin(Layer("base", "base:latest", None)).origin == ""
