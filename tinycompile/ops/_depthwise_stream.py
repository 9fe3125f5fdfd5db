"""The constants of a depthwise convolution in the order of use."""

from collections.abc import Sequence

import numpy as np

from tinycompile.assembly.depthwise_taps import Half
from tinycompile.ops._asm_scaling import Scaling
from tinycompile.ops._dsp import Channels
from tinycompile.ops._linear import folded_bias
from tinycompile.program import Constant


def stream(
    channels: Channels, made: Scaling, weight_pairs: Sequence[tuple[Half, Half]], order: Sequence[int]
) -> Constant:
    """The input's zero point in all bytes of a word, then the records of channels in the order of use."""
    zero_points = (channels.in_zero_point & 0xFF) * 0x01010101
    return _constant([zero_points, *_records(channels, made, weight_pairs, order)], "zero points; ")


def channel_records(channels: Channels, made: Scaling, weight_pairs: Sequence[tuple[Half, Half]]) -> Constant:
    """The records of all channels."""
    return _constant(_records(channels, made, weight_pairs, range(len(channels.weights))), "")


def _constant(words: Sequence[int], first: str) -> Constant:
    values = np.array(words, np.uint32).view(np.int32)
    return Constant("stream", values, f"{first}for each channel weights, bias, requantization", align=4)


def _records(
    channels: Channels, made: Scaling, weight_pairs: Sequence[tuple[Half, Half]], order: Sequence[int]
) -> list[int]:
    """For each channel weights, bias and requantization constants.

    `weight_pairs` are the taps in the halves of each word of weights; weights of `channels` are row by row. `order` are the
    channels in the order of use.
    """
    weights = channels.weights.astype(np.int64) * made.scale[:, None]
    columns = 1 + max(half[1] for pair in weight_pairs for half in pair if half)
    low, high = (
        np.stack(
            [
                weights[:, half[0] * columns + half[1]] if half else np.zeros(len(weights), np.int64)
                for half in halves
            ],
            axis=1,
        )
        for halves in zip(*weight_pairs, strict=True)
    )
    bias = folded_bias(channels.weights, channels.bias, channels.in_zero_point).astype(np.int64)
    first = [(low & 0xFFFF) | ((high & 0xFFFF) << 16), (bias * made.scale + made.offset)[:, None]]
    rows = np.concatenate([*first, made.constants], axis=1)
    return [int(v) & 0xFFFFFFFF for v in rows[list(order)].reshape(-1).tolist()]
