"""Graphs before and after a pass must compute the same bytes."""

import numpy as np

from tinycompile.ir import DType, Graph, to_text, verify
from tinycompile.ops.interpret import evaluate_graph
from tinycompile.passes import Pass


def inputs_of(graph: Graph, seed: int) -> dict[int, np.ndarray]:
    """Full-range random inputs; seeds 0 and 1 give the least and the greatest integer everywhere, seed 0 floats of 0."""
    rng = np.random.default_rng(seed)
    found = {}
    for key in graph.inputs:
        tensor = graph.tensors[key]
        if tensor.dtype is DType.FLOAT32:
            found[key] = np.float32(rng.normal(0, 2, tensor.shape) * (seed > 0))
            continue
        if tensor.dtype is DType.BOOL:
            found[key] = rng.integers(0, 2, tensor.shape).astype(bool)
            continue
        low, high = tensor.dtype.limits
        values = rng.integers(low, high + 1, tensor.shape)
        if seed < 2:
            values = np.full(tensor.shape, (low, high)[seed])
        found[key] = values.astype(tensor.dtype.numpy)
    return found


def assert_equal(before: Graph, after: Graph, samples: int = 6) -> None:
    """Every output, and every tensor that says which tensor of the file it holds, has the bytes that it had before."""
    verify(after)
    assert after.inputs == before.inputs
    assert len(after.outputs) == len(before.outputs)
    for seed in range(samples):
        inputs = inputs_of(before, seed)
        expected, found = evaluate_graph(before, inputs), evaluate_graph(after, inputs)
        for old, new in zip(before.outputs, after.outputs, strict=True):
            np.testing.assert_array_equal(expected[old], found[new])
        for tensor in after.tensors.values():
            if tensor.source is not None and tensor.source in expected:
                np.testing.assert_array_equal(expected[tensor.source], found[tensor.id])
            elif tensor.part is not None:
                whole = expected[tensor.part.source]
                np.testing.assert_array_equal(whole[..., list(tensor.part.channels)], found[tensor.id])


def apply(step: Pass, before: Graph) -> Graph:
    """Run a pass; check that it is exact and that a second run changes nothing."""
    after = step.run(before)
    assert_equal(before, after)
    assert to_text(step.run(after)) == to_text(after)
    return after
