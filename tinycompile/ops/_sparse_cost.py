"""Groups of pixels of a sparse matrix product, and what they cost, from the schedules that are printed."""

from dataclasses import dataclass, replace

from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.sparse import Block, block
from tinycompile.assembly.sparse_records import Group, Kind
from tinycompile.ops.base import Cost

_CALL_CYCLES = 45
_CHANNEL_CYCLES = 5
"""What a channel takes beyond its schedule: the pointers, the comparison and the branch."""

_CODE_BYTES_PER_STEP = 3.6
_STEPS_AROUND = 16

Groups = tuple[tuple[Group, int], ...]
"""Groups of pixels with their number, in order."""


@dataclass(frozen=True)
class Pixels:
    """Pixels of one call: `count` of them, `distance` bytes apart, with `out_channels` outputs each."""

    count: int
    distance: int
    out_channels: int

    def groups(self, most: int, kind: Kind) -> Groups:
        """Groups of at most so many pixels, as equal as they can be."""
        number = -(-self.count // most)
        fewer, more = self.count // number, self.count % number
        sizes = [(fewer + 1, more), (fewer, number - more)]
        return tuple(
            (Group(kind, size, self.distance, self.out_channels), times) for size, times in sizes if times
        )


@dataclass(frozen=True)
class Work:
    """What there is to do for each pixel: records of a kind, and how outputs are requantized."""

    kind: Kind
    records: int
    how: Requantizing

    def best_groups(self, pixels: Pixels) -> Groups:
        """The groups that take the fewest cycles."""
        most = range(1, min(self.kind.most_pixels, pixels.count) + 1)
        made = [pixels.groups(number, self.kind) for number in most]
        possible = [groups for groups in made if all(group.fits for group, _ in groups)]
        return min(possible, key=self.cycles)

    def cycles(self, groups: Groups) -> float:
        """Cycles of one call."""
        total = 0.0
        for group, times in groups:
            made = self.normal_block(group)
            channels = group.out_channels * (made.cycles + _CHANNEL_CYCLES)
            total += times * (_CALL_CYCLES + channels + self.records * made.record_cycles)
        return total

    def cost(self, pixels: Pixels) -> Cost:
        """Cycles of one call, and flash."""
        groups = self.best_groups(pixels)
        blocks = [self.normal_block(group) for group, _ in groups]
        steps = sum(len(b.head) + len(b.loop) + len(b.tail) + _STEPS_AROUND for b in blocks)
        words = self.records * self.kind.words + pixels.out_channels * (1 + self.how.words)
        return Cost(int(self.cycles(groups)), 4 * words + int(_CODE_BYTES_PER_STEP * steps))

    def normal_block(self, group: Group) -> Block:
        """A block with the cycles of this group's: distances and values of shifts make no difference."""
        similar = replace(self.how, shift=min(self.how.shift, 1), odd_shift=0)
        return block(Group(self.kind, group.pixels, 1, 1), similar)
