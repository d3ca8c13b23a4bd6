"""Stored images as a table."""

from collections.abc import Sequence

from layerstack.engine.images import Layer
from layerstack.moment import age
from layerstack.report import print_table, say
from layerstack.wording import megabytes


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
