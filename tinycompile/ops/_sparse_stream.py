"""Non-zero weights as the stream of a sparse matrix product; see `assembly/sparse_records.py`."""

from dataclasses import dataclass

import numpy as np

from tinycompile.assembly.sparse_records import BLOCKS, SINGLES, Kind
from tinycompile.ir import Array
from tinycompile.ops._asm_scaling import Scaling
from tinycompile.ops._dsp import Channels
from tinycompile.ops._linear import folded_bias
from tinycompile.program import Constant


@dataclass(frozen=True, eq=False)
class Entries:
    """Entries in the order of use, channel by channel, each with the step to it from the entry before.

    `channel` and `step` are int64 [entries], `weights` int64 [entries, taps]; ways longer than the kind's largest step have
    entries of zeros between.
    """

    kind: Kind
    channels: int
    channel: Array
    step: Array
    weights: Array

    @property
    def records(self) -> Array:
        """Records of each channel, at least one: int64 [channels]."""
        counts = np.bincount(self.channel, minlength=self.channels)
        result: Array = np.maximum(-(-counts // self.kind.entries), 1)
        return result


def entries_of(weights: Array, offsets: Array, kind: Kind) -> Entries:
    """Entries with a non-zero weight, of int [channels, all taps].

    `offsets` are those of the taps from a pixel's first byte; for entries of four taps they come in fours that follow each other.
    """
    taps = kind.taps
    order = np.argsort(offsets, kind="stable")
    by_place = weights[:, order].reshape(len(weights), -1, taps).astype(np.int64)
    places = offsets[order].astype(np.int64)[::taps]
    channel, at = np.nonzero(by_place.any(axis=2))
    place = places[at]
    before = np.concatenate([np.zeros(min(len(place), 1), np.int64), place[:-1]])
    way = place - np.where(np.diff(channel, prepend=-1) != 0, 0, before)
    largest = kind.largest_step
    between = np.maximum(-(-way // largest) - 1, 0)
    ends = np.cumsum(between + 1) - 1
    step = np.full(int((between + 1).sum()), largest, np.int64)
    step[ends] = way - between * largest
    filled = np.zeros((len(step), taps), np.int64)
    filled[ends] = by_place[channel, at]
    return Entries(kind, len(weights), np.repeat(channel, between + 1), step, filled)


def sparse_stream(channels: Channels, entries: Entries, made: Scaling) -> Constant:
    """First term, records and requantization constants of each channel, as int32 words."""
    bias = folded_bias(channels.weights, channels.bias, channels.in_zero_point).astype(np.int64)
    constants = made.constants
    record_words = entries.kind.words * entries.records
    channel_words = 1 + record_words + made.how.words
    starts = np.cumsum(channel_words) - channel_words
    words = np.zeros(int(channel_words.sum()), np.int64)
    words[starts] = bias + made.offset
    for index in range(made.how.words):
        words[starts + 1 + record_words + index] = constants[:, index]
    _put_records(words, starts + 1, entries)
    last = starts + 1 + record_words - entries.kind.words
    words[last] |= 1 << entries.kind.last_bit
    values = (words & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    return Constant("stream", values, "for each channel: first term, records, requantization", align=4)


def _put_records(words: Array, starts: Array, entries: Entries) -> None:
    """Steps and weights of all entries; `starts` has the first record of each channel."""
    kind = entries.kind
    in_channel = np.arange(len(entries.channel)) - np.searchsorted(entries.channel, entries.channel)
    at = starts[entries.channel] + in_channel // kind.entries * kind.words
    turn = in_channel % kind.entries
    is_last = turn == kind.entries - 1
    weights = entries.weights & 0xFF
    if kind == SINGLES:
        np.add.at(words, at, entries.step << np.where(is_last, kind.last_step_bit, 8))
        np.add.at(words, at, weights[:, 0] << (16 * turn))
    elif kind == BLOCKS:
        np.add.at(words, at, entries.step << np.where(is_last, kind.last_step_bit, 0))
        words[at + 1 + turn] = (weights << np.array([0, 8, 16, 24])).sum(axis=1)
    else:
        way = sum(np.where(turn >= back, _earlier(entries.step, back), 0) for back in range(kind.entries))
        np.add.at(words, at, way << np.where(is_last, kind.last_step_bit, 8 * turn))
        np.add.at(words, at + 1, weights[:, 0] << (8 * turn))


def _earlier(steps: Array, count: int) -> Array:
    """The step of the entry so many entries before."""
    result: Array = np.concatenate([np.zeros(count, np.int64), steps])[: len(steps)]
    return result
