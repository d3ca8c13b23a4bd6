"""Stored images as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerstack.moment import age
from layerstack.report import print_table, say
from layerstack.wording import megabytes

if TYPE_CHECKING:
    from layerstack.engine.images import Layer


def print_images(layers: Sequence[Layer]) -> None:
    rows = [
        (
            layer.layer,
            layer.tag,
            megabytes(layer.stored.size_bytes) if layer.stored else "[yellow]not here[/yellow]",
            age(layer.stored.created) if layer.stored else "",
            layer.built_on,
        )
        for layer in layers
    ]
    print_table(
        ("layer", "image", "size", "age", "built on"), rows, right=("size", "age"), spare=("built on", "age", "layer")
    )
    for layer in layers:
        if layer.origin:
            say(f"{layer.tag}: {layer.origin}")
