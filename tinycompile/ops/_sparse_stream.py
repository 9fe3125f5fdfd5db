"""Non-zero weights as the stream of a sparse matrix product; see `assembly/sparse.py` for a record."""

from dataclasses import dataclass

import numpy as np

from tinycompile.assembly.sparse import LARGEST_STEP
from tinycompile.ir import Array
from tinycompile.ops._asm_scaling import Scaling
from tinycompile.ops._dsp import Channels
from tinycompile.ops._linear import folded_bias
from tinycompile.program import Constant

_PER_RECORD = 2


@dataclass(frozen=True, eq=False)
class Entries:
    """Weights in the order of use, channel by channel, each with the step to it from the weight before.

    `channel`, `step` and `weight` are int64 [entries]; steps are at most `LARGEST_STEP`, longer ways have weights of 0 between.
    """

    channels: int
    channel: Array
    step: Array
    weight: Array

    @property
    def records(self) -> Array:
        """Records of each channel, at least one: int64 [channels]."""
        counts = np.bincount(self.channel, minlength=self.channels)
        result: Array = np.maximum(-(-counts // _PER_RECORD), 1)
        return result


def entries_of(weights: Array, offsets: Array) -> Entries:
    """Non-zero weights of int [channels, taps]; the taps of a pixel lie at `offsets` (bytes from its first one, [taps])."""
    order = np.argsort(offsets, kind="stable")
    by_place, places = weights[:, order], offsets[order].astype(np.int64)
    channel, tap = np.nonzero(by_place)
    place = places[tap]
    is_first = np.diff(channel, prepend=-1) != 0
    way = place - np.where(is_first, 0, np.concatenate([[0], place[:-1]]) if len(place) else place)
    between = np.maximum(-(-way // LARGEST_STEP) - 1, 0)
    ends = np.cumsum(between + 1) - 1
    step = np.full(int((between + 1).sum()), LARGEST_STEP, np.int64)
    step[ends] = way - between * LARGEST_STEP
    weight = np.zeros_like(step)
    weight[ends] = by_place[channel, tap]
    return Entries(len(weights), np.repeat(channel, between + 1), step, weight)


def sparse_stream(channels: Channels, entries: Entries, made: Scaling) -> Constant:
    """First term, records and requantization constants of each channel, as int32 words."""
    bias = folded_bias(channels.weights, channels.bias, channels.in_zero_point).astype(np.int64)
    constants = np.stack([made.multiplier, made.constant, made.shifts][: made.how.words], axis=1)
    records = entries.records
    starts = np.cumsum(records + 1 + made.how.words) - (records + 1 + made.how.words)
    words = np.zeros(int((records + 1 + made.how.words).sum()), np.int64)
    words[starts] = bias + made.offset
    for index in range(made.how.words):
        words[starts + 1 + records + index] = constants[:, index]
    in_channel = np.arange(len(entries.channel)) - np.searchsorted(entries.channel, entries.channel)
    at = starts[entries.channel] + 1 + in_channel // _PER_RECORD
    is_second = in_channel % _PER_RECORD == 1
    packed = (entries.weight & 0xFF) | np.where(is_second, entries.step << 9, entries.step << 8)
    np.add.at(words, at, np.where(is_second, packed << 16, packed))
    words[starts + records] |= 1 << 24
    values = (words & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    return Constant("stream", values, "for each channel: first term, records, requantization", align=4)
