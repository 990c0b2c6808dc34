"""ONNX Runtime, which only predicts: a Gemm for each layer, and all of its graph optimisations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, helper, numpy_helper

from rungs import Rung, weights

PACKAGES = ("onnxruntime", "onnx", "numpy")
ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh"}
# Of the format, as old as these operations allow: newer than the runtime is refused.
OPSET, FORMAT = 17, 8


def written(rung: Rung) -> ModelProto:
    """The rung's network with the common weights."""
    nodes, constants, z = [], [], "x"
    for number, layer in enumerate(weights(rung)):
        names = [f"kernel_{number}", f"bias_{number}"]
        constants += [numpy_helper.from_array(array, name) for array, name in zip(layer, names, strict=True)]
        nodes.append(helper.make_node("Gemm", [z, *names], [f"z_{number}"]))
        nodes.append(helper.make_node(ACTIVATIONS[rung.activation], [f"z_{number}"], [f"a_{number}"]))
        z = f"a_{number}"
    nodes[-2].output[0] = "outputs"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", columns])
        for name, columns in (("x", rung.sizes[0]), ("outputs", rung.sizes[-1]))
    ]
    graph = helper.make_graph(nodes[:-1], rung.name, ends[:1], ends[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=FORMAT)


def predictor(rung: Rung, threads: int) -> Callable[[np.ndarray, int | None], np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(written(rung).SerializeToString(), options, ["CPUExecutionProvider"])

    def predict(x: np.ndarray, batch: int | None) -> np.ndarray:
        if batch is None:
            return session.run(None, {"x": x})[0]
        outputs = np.empty((len(x), rung.sizes[-1]), np.float32)
        for begin in range(0, len(x), batch):
            outputs[begin : begin + batch] = session.run(None, {"x": x[begin : begin + batch]})[0]
        return outputs

    return predict
