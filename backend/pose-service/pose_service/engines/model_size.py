"""Writes a fixed input size into a TFLite file whose input is free: MediaPipe does not resize a free one."""

from __future__ import annotations

import struct

# Fields of TFLite's schema, a FlatBuffer: Model.subgraphs, SubGraph.tensors and .inputs, Tensor.shape and
# .shape_signature.
SUBGRAPHS, TENSORS, INPUTS, SHAPES = 2, 0, 1, (0, 7)


def with_input_size(model: bytes, height: int, width: int) -> bytes:
    """The same model for images of (1, height, width, 3). Raises ValueError when the input has not four dimensions."""
    data = bytearray(model)
    root = _follow(data, 0)
    graph = _follow(data, _follow(data, _field(data, root, SUBGRAPHS)) + 4)
    (number,) = struct.unpack_from("<i", data, _follow(data, _field(data, graph, INPUTS)) + 4)
    tensor = _follow(data, _follow(data, _field(data, graph, TENSORS)) + 4 + 4 * number)
    for field in SHAPES:
        place = _field(data, tensor, field)
        if not place:
            continue
        vector = _follow(data, place)
        if struct.unpack_from("<I", data, vector)[0] != 4:
            raise ValueError("the model's input is no image")
        struct.pack_into("<4i", data, vector + 4, 1, height, width, 3)
    return bytes(data)


def _field(data: bytearray, table: int, number: int) -> int:
    """Where a field of a table lies; 0 when the table leaves it out."""
    vtable: int = table - struct.unpack_from("<i", data, table)[0]
    if 4 + 2 * number >= struct.unpack_from("<H", data, vtable)[0]:
        return 0
    (offset,) = struct.unpack_from("<H", data, vtable + 4 + 2 * number)
    return table + offset if offset else 0


def _follow(data: bytearray, place: int) -> int:
    """Where the offset at `place` points."""
    target: int = place + struct.unpack_from("<I", data, place)[0]
    return target
