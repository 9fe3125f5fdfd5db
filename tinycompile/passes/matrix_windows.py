"""A matrix over a whole image is a convolution as large as the image, and a convolution can take rows from several places."""

from dataclasses import replace

import numpy as np

from tinycompile.ir import (
    DType,
    Graph,
    Node,
    Quantization,
    Tensor,
    next_node_id,
    next_tensor_id,
    with_tensors,
)
from tinycompile.ops import (
    convolution_multipliers,
    fully_connected_attributes,
    matrix_multipliers,
    operation,
    operator_named,
)
from tinycompile.passes.origins import is_movement, is_plain_view


def with_matrix_windows(graph: Graph) -> tuple[Graph, tuple[Node, ...]]:
    """Replace FULLY_CONNECTED by CONV_2D and a RESHAPE where it reads moved data with several rows; tells which ones.

    The convolution has the same accumulators. TFLite computes its factors from the scales in another precision: where no
    scale of the weights gives the factors of the matrix, that stays.
    """
    replaced = []
    for node in graph.nodes:
        image = _image(graph, node) if node.kind == "FULLY_CONNECTED" else None
        changed = _convolution(graph, node, image) if image is not None else None
        if changed is not None:
            graph = changed
            replaced.append(node)
    return graph, tuple(replaced)


def _image(graph: Graph, node: Node) -> Tensor | None:
    """The image with several rows, put together by an operator that only moves, which is all the input of a matrix."""
    current = operation(graph, node)
    tensor, weights = current.input(0), current.input(1)
    producer = graph.producers.get(tensor.id)
    while producer is not None and is_plain_view(producer):
        tensor = graph.tensor(producer.inputs[0])
        producer = graph.producers.get(tensor.id)
    if producer is None or not is_movement(producer) or len(tensor.shape) != 4 or tensor.shape[0] != 1:
        return None
    is_plain = fully_connected_attributes(current).weights_format == "DEFAULT" and not weights.zero_point
    is_int8 = {tensor.dtype, weights.dtype, current.output.dtype} == {DType.INT8}
    fits = is_plain and is_int8 and weights.is_constant and weights.shape[1] == tensor.elements
    return tensor if fits and tensor.shape[1] > 1 else None


def _convolution(graph: Graph, node: Node, image: Tensor) -> Graph | None:
    current = operation(graph, node)
    weights, output = current.input(1), current.output
    units = weights.shape[0]
    scales = _scales(graph, node)
    if scales is None:
        return None
    values = np.ascontiguousarray(weights.values.reshape(units, *image.shape[1:]))
    values.setflags(write=False)
    filters = Tensor(next_tensor_id(graph), weights.name, values.shape, weights.dtype, scales, values)
    pixel = replace(
        output, id=filters.id + 1, name=f"{output.name}/pixel", shape=(1, 1, 1, units), source=None, part=None
    )
    options = {"padding": "VALID", "stride_w": 1, "stride_h": 1}
    attributes = operator_named("CONV_2D").parse(
        {**options, "fused_activation_function": fully_connected_attributes(current).activation.value}
    )
    inputs = (image.id, filters.id, *node.inputs[2:])
    convolution = replace(node, kind="CONV_2D", inputs=inputs, outputs=(pixel.id,), attributes=attributes)
    view = Node(
        next_node_id(graph),
        "RESHAPE",
        node.name,
        (pixel.id,),
        node.outputs,
        operator_named("RESHAPE").parse({}),
    )
    graph = with_tensors(graph, [filters, pixel])
    found = operation(graph, convolution)
    if convolution_multipliers(found, units) != matrix_multipliers(current, units):
        return None
    position = graph.nodes.index(node)
    return replace(graph, nodes=(*graph.nodes[:position], convolution, view, *graph.nodes[position + 1 :]))


def _scales(graph: Graph, node: Node) -> Quantization | None:
    """Scales of the weights whose products in double are those that the matrix has, one product in float32."""
    current = operation(graph, node)
    source, weights = current.input(0), current.input(1)
    assert weights.quantization is not None
    if weights.quantization.per_channel:
        return weights.quantization
    product = float(np.float32(source.scale) * np.float32(weights.scale))
    return replace(weights.quantization, scales=(product / source.scale,)) if source.scale else None
