"""Memories in which every byte knows what it holds: the arena, the state, and the inputs that the caller keeps.

Bytes that follow each other in memory and in a tensor are one run, so a memory is a short list of runs. Writing replaces runs,
reading compares them.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

GARBAGE = -1
"""The tensor of bytes that nobody may rely on."""


@dataclass(frozen=True)
class Block:
    """A memory of its own: the arena, the state, one of the caller's inputs, or a constant in flash."""

    name: str
    read_only: bool = False


ARENA, STATE = Block("arena"), Block("state")


@dataclass(frozen=True)
class Span:
    """Bytes of a tensor: where they lie, and which bytes of the tensor they are."""

    block: Block
    address: int
    tensor: int
    first_byte: int
    bytes: int

    def lies_like(self, other: "Span") -> bool:
        """True when both are the same bytes of memory."""
        return (self.block, self.address, self.bytes) == (other.block, other.address, other.bytes)

    def begins_like(self, other: "Span") -> bool:
        """True when both begin with the same byte of memory."""
        return (self.block, self.address) == (other.block, other.address)

    def touches(self, other: "Span") -> bool:
        """True when both have a byte of memory in common."""
        apart = self.address + self.bytes <= other.address or other.address + other.bytes <= self.address
        return self.block == other.block and not apart

    def part(self, first: int, count: int, parts: int) -> "Span":
        """Some of the equal parts of a span."""
        part_bytes = self.bytes // parts
        offset = first * part_bytes
        address, first_byte = self.address + offset, self.first_byte + offset
        return Span(self.block, address, self.tensor, first_byte, count * part_bytes)


@dataclass(frozen=True)
class Held:
    """A run of bytes of one tensor, from `start` to `end` (exclusive) in memory; the byte at `start` is byte `start + lag`."""

    start: int
    end: int
    tensor: int
    lag: int


class Runs:
    """One memory: runs in ascending order, without gaps."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._starts = [0]
        self._held = [(GARBAGE, 0)]

    def set(self, start: int, end: int, tensor: int, lag: int) -> None:
        """Bytes from `start` to `end` hold those of a tensor from byte `start + lag` on."""
        if start >= end:
            return
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, end - 1) - 1
        starts, held = [start], [(tensor, lag)]
        if self._starts[first] < start:
            starts, held = [self._starts[first], *starts], [self._held[first], *held]
        behind = self._starts[last + 1] if last + 1 < len(self._starts) else self.size
        if end < behind:
            starts, held = [*starts, end], [*held, self._held[last]]
        elif self._held[last + 1 : last + 2] == [held[-1]]:
            last += 1  # the run behind goes on with the same tensor
        joined = [index for index in range(len(held)) if index == 0 or held[index] != held[index - 1]]
        if first > 0 and self._held[first - 1] == held[0]:
            joined = joined[1:]
        self._starts[first : last + 1] = [starts[index] for index in joined]
        self._held[first : last + 1] = [held[index] for index in joined]

    def get(self, start: int, end: int) -> Iterator[Held]:
        """What the bytes from `start` to `end` hold."""
        index = bisect_right(self._starts, start) - 1
        while start < end:
            behind = self._starts[index + 1] if index + 1 < len(self._starts) else self.size
            tensor, lag = self._held[index]
            yield Held(start, min(end, behind), tensor, lag)
            start, index = behind, index + 1


class TaggedMemory:
    """All memories of a program, and what was seen: bytes compared, the highest byte used in the arena, violations."""

    def __init__(self, sizes: Mapping[Block, int], names: Mapping[int, str]) -> None:
        self._runs = {block: Runs(size) for block, size in sizes.items()}
        self._names = names
        self.high_water = 0
        self.violations: list[str] = []

    def violate(self, place: str, found: str, expected: str) -> None:
        """Note what a program must not do."""
        self.violations.append(f"{place}: found {found}; expected {expected}")

    def deliver(self, span: Span, place: str) -> None:
        """Bytes come to lie somewhere, whoever may write there."""
        if self._is_inside(span, place):
            end = span.address + span.bytes
            self._runs[span.block].set(span.address, end, span.tensor, span.first_byte - span.address)
            if span.block is ARENA:
                self.high_water = max(self.high_water, end)

    def write(self, span: Span, place: str) -> None:
        """A kernel writes."""
        if span.block.read_only:
            self.violate(
                place, f"a write to the {span.block.name}", "that it is only read: it is the caller's"
            )
        self.deliver(span, place)

    def spoil(self, block: Block, address: int, length: int, place: str) -> None:
        """Bytes lose what they held."""
        self.deliver(Span(block, address, GARBAGE, address, length), place)

    def read(self, span: Span, place: str) -> None:
        """A kernel, or the caller, reads."""
        if not self._is_inside(span, place):
            return
        for held in self._runs[span.block].get(span.address, span.address + span.bytes):
            if (held.tensor, held.lag) != (span.tensor, span.first_byte - span.address):
                self._mismatch(span, held, place)
                return

    def _mismatch(self, span: Span, held: Held, place: str) -> None:
        where = f"{span.block.name} {held.start}..{held.end}"
        found = (
            "garbage"
            if held.tensor == GARBAGE
            else self.describe(held.tensor, held.start + held.lag, held.end - held.start)
        )
        first = span.first_byte + held.start - span.address
        wanted = self.describe(span.tensor, first, held.end - held.start)
        self.violate(place, f"{found} in {where}", wanted)

    def describe(self, tensor: int, first: int, count: int) -> str:
        """Some bytes of a tensor, for messages."""
        return f"bytes {first}..{first + count} of {self._names.get(tensor, 'a scratch')!r}"

    def _is_inside(self, span: Span, place: str) -> bool:
        size = self._runs[span.block].size if span.block in self._runs else 0
        if span.address >= 0 and span.address + span.bytes <= size:
            return True
        end = span.address + span.bytes
        self.violate(
            place, f"bytes {span.address}..{end} of the {span.block.name}", f"bytes inside of its {size}"
        )
        return False
