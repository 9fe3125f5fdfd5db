"""Non-zero weights as the stream of a sparse matrix product; see `assembly/sparse.py` for records and entries."""

from dataclasses import dataclass

import numpy as np

from tinycompile.assembly.sparse import LARGEST_STEP, RECORD_WORDS, SECOND_STEP_BIT
from tinycompile.ir import Array
from tinycompile.ops._asm_scaling import Scaling
from tinycompile.ops._dsp import Channels
from tinycompile.ops._linear import folded_bias
from tinycompile.program import Constant

_PER_RECORD = 2
_FIRST_STEP_BIT = {1: 8, 4: 0}


@dataclass(frozen=True, eq=False)
class Entries:
    """Entries of `taps` weights in the order of use, channel by channel, each with the step to it from the entry before.

    `channel` and `step` are int64 [entries], `weights` int64 [entries, taps]; steps are at most `LARGEST_STEP`, longer ways have
    entries of zeros between.
    """

    taps: int
    channels: int
    channel: Array
    step: Array
    weights: Array

    @property
    def records(self) -> Array:
        """Records of each channel, at least one: int64 [channels]."""
        counts = np.bincount(self.channel, minlength=self.channels)
        result: Array = np.maximum(-(-counts // _PER_RECORD), 1)
        return result


def entries_of(weights: Array, offsets: Array, taps: int = 1) -> Entries:
    """Entries of so many taps with a non-zero weight, of int [channels, all taps].

    `offsets` are those of the taps from a pixel's first byte; for entries of four taps they come in fours that follow each other.
    """
    order = np.argsort(offsets, kind="stable")
    by_place = weights[:, order].reshape(len(weights), -1, taps).astype(np.int64)
    places = offsets[order].astype(np.int64)[::taps]
    channel, at = np.nonzero(by_place.any(axis=2))
    place = places[at]
    before = np.concatenate([np.zeros(min(len(place), 1), np.int64), place[:-1]])
    way = place - np.where(np.diff(channel, prepend=-1) != 0, 0, before)
    largest = LARGEST_STEP[taps]
    between = np.maximum(-(-way // largest) - 1, 0)
    ends = np.cumsum(between + 1) - 1
    step = np.full(int((between + 1).sum()), largest, np.int64)
    step[ends] = way - between * largest
    filled = np.zeros((len(step), taps), np.int64)
    filled[ends] = by_place[channel, at]
    return Entries(taps, len(weights), np.repeat(channel, between + 1), step, filled)


def sparse_stream(channels: Channels, entries: Entries, made: Scaling) -> Constant:
    """First term, records and requantization constants of each channel, as int32 words."""
    bias = folded_bias(channels.weights, channels.bias, channels.in_zero_point).astype(np.int64)
    constants = np.stack([made.multiplier, made.constant, made.shifts][: made.how.words], axis=1)
    record_words = RECORD_WORDS[entries.taps] * entries.records
    channel_words = 1 + record_words + made.how.words
    starts = np.cumsum(channel_words) - channel_words
    words = np.zeros(int(channel_words.sum()), np.int64)
    words[starts] = bias + made.offset
    for index in range(made.how.words):
        words[starts + 1 + record_words + index] = constants[:, index]
    _put_records(words, starts + 1, entries)
    last = starts + 1 + record_words - RECORD_WORDS[entries.taps]
    words[last] |= 1 << (SECOND_STEP_BIT[entries.taps] - 1)
    values = (words & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    return Constant("stream", values, "for each channel: first term, records, requantization", align=4)


def _put_records(words: Array, starts: Array, entries: Entries) -> None:
    """Steps and weights of all entries; `starts` has the first record of each channel."""
    in_channel = np.arange(len(entries.channel)) - np.searchsorted(entries.channel, entries.channel)
    at = starts[entries.channel] + in_channel // _PER_RECORD * RECORD_WORDS[entries.taps]
    second = in_channel % _PER_RECORD
    step_bit = np.where(second, SECOND_STEP_BIT[entries.taps], _FIRST_STEP_BIT[entries.taps])
    np.add.at(words, at, entries.step << step_bit)
    weights = entries.weights & 0xFF
    if entries.taps == 1:
        np.add.at(words, at, weights[:, 0] << (16 * second))
    else:
        words[at + 1 + second] = (weights << np.array([0, 8, 16, 24])).sum(axis=1)
