"""Usage: convert.py GRAPH.json OUT.tflite. MoveNet MultiPose from TensorFlow.js to TFLite, with a free input size.

`nox -s make_models` runs it with tensorflow-cpu 2.18.1 and compares the sum: the conversion is deterministic. The graph
is that of TensorFlow.js with three changes, because TFLite or MediaPipe cannot do otherwise: fused convolutions are
taken apart, slices that add axes become ExpandDims, and the input is float32 instead of int32.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.framework import graph_pb2, node_def_pb2

# Any version that TensorFlow 2.18 reads; part of the file, so of the sum.
GRAPH_VERSION = 1087
FLOAT, INT32 = 1, 3
FUSED = ("FusedDepthwiseConv2dNative", "_FusedConv2D")
KEPT = ("T", "strides", "padding", "data_format", "dilations", "explicit_paddings")


def main(source: Path, target: Path) -> None:
    """Write the TFLite file."""
    graph = read_graph(source)
    wrapped = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(graph, name=""), [])
    maker = tf.lite.TFLiteConverter.from_concrete_functions([wrapped.prune("input:0", "Identity:0")])
    # The package's weights are float16: nothing is lost.
    maker.optimizations = [tf.lite.Optimize.DEFAULT]
    maker.target_spec.supported_types = [tf.float16]
    target.write_bytes(maker.convert())


def read_graph(source: Path) -> Any:
    """The GraphDef of a TensorFlow.js model: its json, and the weights beside it."""
    description = json.loads(source.read_text())
    weights = read_weights(description["weightsManifest"][0]["weights"], source.with_suffix(".bin").read_bytes())
    graph = graph_pb2.GraphDef()
    graph.versions.producer = GRAPH_VERSION
    for item in description["modelTopology"]["node"]:
        if item["op"] == "Const":
            add_constant(graph, item["name"], weights[item["name"]])
            continue
        node = node_def_pb2.NodeDef()
        json_format.ParseDict(item, node, ignore_unknown_fields=True)
        if node.op in FUSED:
            take_apart(graph, node)
        elif node.op == "StridedSlice" and node.attr["new_axis_mask"].i:
            expand(graph, node, weights)
        else:
            free_input(node)
            graph.node.add().CopyFrom(node)
    return graph


def read_weights(manifest: list[dict[str, Any]], content: bytes) -> dict[str, Any]:
    """Arrays by name; float16 ones as float32. Raises ValueError when the file is longer than its description."""
    weights, place = {}, 0
    for item in manifest:
        count = int(np.prod(item["shape"])) if item["shape"] else 1
        half = item.get("quantization", {}).get("dtype") == "float16"
        kind = np.int32 if item["dtype"] == "int32" else np.float16 if half else np.float32
        values = np.frombuffer(content, kind, count, place)
        place += values.nbytes
        weights[item["name"]] = (values.astype(np.float32) if half else values).reshape(item["shape"])
    if place != len(content):
        raise ValueError(f"{len(content) - place} bytes of weights are left over")
    return weights


def free_input(node: Any) -> None:
    """The input as float32 of any height and width: MediaPipe feeds nothing but float32."""
    if node.op == "Placeholder":
        node.attr["shape"].shape.CopyFrom(tf.TensorShape([1, None, None, 3]).as_proto())
        node.attr["dtype"].type = FLOAT
    if node.op == "Cast" and node.input[0] == "input":
        node.attr["SrcT"].type = FLOAT


def take_apart(graph: Any, fused: Any) -> None:
    """A fused convolution as a convolution and its steps (BiasAdd, Relu6 …)."""
    steps, inputs = [step.decode() for step in fused.attr["fused_ops"].list.s], list(fused.input)
    node = graph.node.add()
    node.op = "DepthwiseConv2dNative" if fused.op.startswith("FusedD") else "Conv2D"
    node.name = fused.name + "/c"
    node.input.extend(inputs[:2])
    for key in KEPT:
        if key in fused.attr and not (key == "explicit_paddings" and not fused.attr[key].list.i):
            node.attr[key].CopyFrom(fused.attr[key])
    last, extra = node.name, inputs[2:]
    for number, step in enumerate(steps):
        made = graph.node.add()
        made.op, made.name = step, fused.name if number == len(steps) - 1 else f"{fused.name}{step}/f{number}"
        made.input.append(last)
        made.attr["T"].type = FLOAT
        if step == "BiasAdd":
            made.input.append(extra.pop(0))
            made.attr["data_format"].s = b"NHWC"
        last = made.name


def expand(graph: Any, cut: Any, weights: dict[str, Any]) -> None:
    """A slice that adds axes as a slice of the other axes, where it cuts any, and ExpandDims."""
    ends = [weights[name].copy() for name in cut.input[1:4]]
    new, low, high = (cut.attr[key].i for key in ("new_axis_mask", "begin_mask", "end_mask"))
    kept = [axis for axis in range(len(ends[0])) if not new >> axis & 1]
    last = cut.input[0]
    if any(not (low >> axis & 1 and high >> axis & 1) for axis in kept):
        made = graph.node.add()
        made.CopyFrom(cut)
        made.name = cut.name + "/kept"
        for number, values in enumerate(ends):
            made.input[1 + number] = add_constant(graph, f"{made.name}/{number}", values[kept])
        for key, mask in (("new_axis_mask", 0), ("begin_mask", low), ("end_mask", high)):
            made.attr[key].i = sum((mask >> axis & 1) << place for place, axis in enumerate(kept))
        last = made.name
    axes = [axis for axis in range(len(ends[0])) if new >> axis & 1]
    for number, axis in enumerate(axes):
        made = graph.node.add()
        made.op, made.name = "ExpandDims", cut.name if number == len(axes) - 1 else f"{cut.name}/axis{axis}"
        made.input.extend([last, add_constant(graph, f"{cut.name}/dim{axis}", np.int32(axis))])
        made.attr["T"].CopyFrom(cut.attr["T"])
        made.attr["Tdim"].type = INT32
        last = made.name


def add_constant(graph: Any, name: str, values: Any) -> str:
    """A Const node; its name."""
    made = graph.node.add()
    made.name, made.op = name, "Const"
    made.attr["dtype"].type = tf.as_dtype(np.asarray(values).dtype).as_datatype_enum
    made.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
    return name


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
