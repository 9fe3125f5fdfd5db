"""Constant-channel elimination: what may go, what must stay, and the same bytes in everything that is left."""

import numpy as np
import pytest

from tests.passes.dead_channels import Net, random_net
from tests.passes.equality import apply, assert_equal, inputs_of
from tflite_support.builder import Builder, Spec
from tflite_support.oracles import Question, ask
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.ops import operation, operator_of
from tinycompile.ops.interpret import evaluate_graph
from tinycompile.passes import run_passes
from tinycompile.passes.channels import role_of
from tinycompile.passes.constant_channels import EliminateConstantChannels
from tinycompile.passes.ranges import channel_ranges


@pytest.fixture
def net() -> Net:
    return Net(np.random.default_rng(11))


def _eliminate(graph: Graph) -> Graph:
    return apply(EliminateConstantChannels(), graph)


def _channels(graph: Graph) -> list[int]:
    return [graph.tensors[node.outputs[0]].shape[-1] for node in graph.nodes]


def test_a_constant_goes_into_the_bias(net: Net) -> None:
    x = net.input(3)
    first = net.convolution(x, 5, zero=[1, 4], bias={1: 9000, 4: 7000})
    y = net.convolution(first, 4)
    before = net.graph([x], [y])
    after = _eliminate(before)
    assert _channels(after) == [3, 4]
    assert after.tensors[first].part is not None
    assert after.tensors[first].part.channels == (0, 2, 3)
    old, new = (graph.tensor(graph.nodes[1].inputs[2]).values for graph in (before, after))
    assert (old != new).all()  # neither constant is the zero point, so every bias takes something


def test_saturated_channels_are_constant(net: Net) -> None:
    """Weights that cannot lift the sum over the clamp, whatever the input."""
    x = net.input(3)
    first = net.convolution(x, 5, bias={0: -10_000_000, 3: 10_000_000})
    y = net.convolution(first, 4)
    after = _eliminate(net.graph([x], [y]))
    assert _channels(after) == [3, 4]
    assert "2 hold one value for every input" in after.changes[0].text


def test_unread_channels_go_with_everything_before_them(net: Net) -> None:
    x = net.input(3)
    first = net.convolution(x, 5)
    deep = net.depthwise(first)
    y = net.convolution(deep, 4, unread=[0, 2])
    after = _eliminate(net.graph([x], [y]))
    assert _channels(after) == [3, 3, 4]
    assert "2 are not read" in after.changes[0].text


def test_a_padded_window_folds_only_the_zero_point(net: Net) -> None:
    """Channel 0 holds the zero point, channel 1 another value: at the border a 3x3 window sees both."""
    x = net.input(3)
    first = net.convolution(x, 4, zero=[0, 1], bias={0: 0, 1: 9000})
    y = net.convolution(first, 4, taps=3)
    after = _eliminate(net.graph([x], [y]))
    assert _channels(after) == [3, 4]
    assert after.tensors[first].part is not None
    assert after.tensors[first].part.channels == (1, 2, 3)


def test_depthwise_channels_are_coupled(net: Net) -> None:
    """A constant result of a depthwise convolution makes its input channel unread; a chain falls together."""
    x = net.input(3)
    first = net.convolution(x, 6)
    deep = net.depthwise(first, zero=[2, 5], bias={2: 40, 5: 0})
    y = net.convolution(deep, 4)
    after = _eliminate(net.graph([x], [y]))
    assert _channels(after) == [4, 4, 4]


def test_depth_multiplier_keeps_siblings(net: Net) -> None:
    """With multiplier 2 an input channel goes only when both of its results go."""
    x = net.input(3)
    first = net.convolution(x, 3)
    deep = net.depthwise(first, multiplier=2, zero=[0, 2, 3])
    y = net.convolution(deep, 4)
    after = _eliminate(net.graph([x], [y]))
    assert _channels(after) == [2, 4, 4]
    assert after.tensors[deep].part is not None
    assert after.tensors[deep].part.channels == (0, 1, 4, 5)


def test_residual_operands_lose_the_same_channels(net: Net) -> None:
    x = net.input(3)
    left = net.convolution(x, 5, zero=[0, 1, 2])
    right = net.convolution(x, 5, zero=[1, 2, 3])
    y = net.convolution(net.add(left, right), 4)
    after = _eliminate(net.graph([x], [y]))
    assert _channels(after) == [3, 3, 3, 4]


def test_residual_operand_with_another_reader(net: Net) -> None:
    """What another reader needs stays, in all tensors that are added to it."""
    x = net.input(3)
    left = net.convolution(x, 5)
    right = net.convolution(x, 5)
    summed = net.add(left, right)
    other = net.convolution(left, 2, unread=[3])
    y = net.convolution(summed, 4, unread=[0, 3])
    after = _eliminate(net.graph([x], [y, other]))
    assert _channels(after)[:3] == [4, 4, 4]


def test_flattened_channels_go_from_the_matrix(net: Net) -> None:
    x = net.input(3)
    first = net.convolution(x, 5, zero=[1])
    y = net.dense(net.flat(first), 4, 36 * 5)
    after = _eliminate(net.graph([x], [y]))
    assert _channels(after) == [4, 36 * 4, 4]
    assert after.tensor(after.nodes[2].inputs[1]).shape == (4, 36 * 4)


def test_a_missing_bias_appears_when_it_is_needed(net: Net) -> None:
    x = net.input(3)
    first = net.convolution(x, 5, zero=[1], bias={1: 9000})
    y = net.dense(net.flat(first), 4, 36 * 5, bias=False)
    after = _eliminate(net.graph([x], [y]))
    assert after.tensor(after.nodes[2].inputs[2]).values.any()


def test_outputs_and_inputs_keep_their_channels(net: Net) -> None:
    x = net.input(3)
    y = net.convolution(x, 5, zero=[0, 1, 2, 3, 4], unread=[0, 1, 2])
    before = net.graph([x], [y])
    after = _eliminate(before)
    assert after.tensors[x].shape == before.tensors[x].shape
    assert after.tensors[y].shape == before.tensors[y].shape


def test_everything_constant_leaves_one_channel(net: Net) -> None:
    x = net.input(3)
    first = net.convolution(x, 5, zero=range(5), bias={c: 1000 * c for c in range(5)})
    y = net.convolution(first, 4)
    after = _eliminate(net.graph([x], [y]))
    assert _channels(after) == [1, 4]


def test_accumulators_that_may_wrap_are_not_constant(net: Net) -> None:
    """With a bias at the end of int32 the sum wraps for some inputs, and the clamp does not decide."""
    x = net.input(3)
    first = net.convolution(x, 2, bias={0: 2**31 - 1})
    y = net.convolution(first, 2)
    graph = net.graph([x], [y])
    assert _channels(_eliminate(graph)) == [2, 2]
    seen = np.unique([evaluate_graph(graph, inputs_of(graph, seed))[first][..., 0] for seed in range(4)])
    assert seen.size > 1


def test_changes_add_up(net: Net) -> None:
    x = net.input(3)
    deep = net.depthwise(net.convolution(x, 6, taps=3, zero=[0]), zero=[3])
    y = net.convolution(deep, 4)
    before = net.graph([x], [y])
    after = _eliminate(before)
    assert sum(change.macs_removed for change in after.changes) == _macs(before) - _macs(after)
    assert sum(change.weight_bytes_removed for change in after.changes) == _weights(before) - _weights(after)
    assert [change.place for change in after.changes] == [node.place for node in before.nodes]


def _macs(graph: Graph) -> int:
    return sum(operator_of(node).macs(operation(graph, node)) for node in graph.nodes)


def _weights(graph: Graph) -> int:
    return sum(tensor.bytes for tensor in graph.tensors.values() if tensor.is_constant)


@pytest.mark.parametrize("seed", range(20))
def test_a_multiple_of_channels_is_left(seed: int) -> None:
    graph = random_net(seed)
    after = apply(EliminateConstantChannels(multiple=2), graph)
    for key, tensor in after.tensors.items():
        if not tensor.is_constant:
            assert tensor.shape[-1] in (graph.tensors[key].shape[-1], *range(0, 999, 2))


@pytest.mark.parametrize("seed", range(80))
def test_random_networks(seed: int) -> None:
    graph = random_net(seed)
    _eliminate(graph)
    assert_equal(graph, run_passes(graph))


def test_random_networks_lose_channels() -> None:
    """The test above is about something: most of these networks have something to remove."""
    assert sum(bool(EliminateConstantChannels().run(random_net(seed)).changes) for seed in range(80)) > 40


@pytest.mark.parametrize("seed", range(20))
def test_values_stay_in_their_ranges(seed: int) -> None:
    graph = random_net(seed)
    ranges = channel_ranges(graph, {node.id: role_of(graph, node) for node in graph.nodes})
    for sample in range(5):
        for key, values in evaluate_graph(graph, inputs_of(graph, sample)).items():
            if key in ranges:
                assert (values >= ranges[key].low).all() and (values <= ranges[key].high).all()


@pytest.mark.models
@pytest.mark.needs("module:tflite_runtime")
def test_visual_wake_words_loses_half_of_its_work(models_dir, samples_dir) -> None:  # type: ignore[no-untyped-def]
    data = (models_dir / "vww_96_int8.tflite").read_bytes()
    imported = read_model(data, "vww")
    graph = run_passes(imported)
    assert _macs(imported) == 7_489_664  # MLPerf's figure
    assert _macs(graph) < 0.5 * _macs(imported)
    assert _weights(graph) < 0.16 * _weights(imported)

    tensor = graph.tensors[graph.inputs[0]]
    real = np.load(samples_dir / "vww_96_int8.npz")["x"][:3].reshape(3, *tensor.shape[1:])
    pixels = np.clip(np.round(real / tensor.scale) + tensor.zero_point, -128, 127).astype(np.int8)
    samples = [inputs_of(graph, seed)[graph.inputs[0]] for seed in range(4)] + list(pixels[:, None])
    (answer,) = ask([Question(data, [[sample] for sample in samples])])
    assert answer.refusal is None
    for sample, (expected,) in zip(samples, answer.outputs, strict=True):
        np.testing.assert_array_equal(
            evaluate_graph(graph, {graph.inputs[0]: sample})[graph.outputs[0]], expected
        )


def test_a_comparison_that_nobody_reads() -> None:
    """bool has no range, and is removed all the same."""
    builder = Builder()
    x = builder.input((1, 2, 2, 3), "int8", 0.5)
    builder.op("LESS", [x, x], Spec((1, 2, 2, 3), "bool"))
    y = builder.op("RELU", [x], Spec((1, 2, 2, 3), "int8", 0.5))
    graph = read_model(builder.finish([x], [y]), "m")
    assert [node.kind for node in apply(EliminateConstantChannels(), graph).nodes] == ["RELU"]
