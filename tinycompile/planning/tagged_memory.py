"""Memory in which every byte knows what it holds: the arena, the state, and the inputs that the caller keeps.

A tag names the tensor and the byte's place in it. Writing sets tags, reading compares them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinycompile.plan import BufferKind, MemoryPlan, Placement

GARBAGE = -1


@dataclass(frozen=True)
class Block:
    """A memory of its own: the arena, the state, or one of the caller's inputs."""

    name: str
    read_only: bool = False


ARENA, STATE = Block("arena"), Block("state")


def block_of(placement: Placement) -> Block:
    """The memory that a buffer lies in."""
    if placement.buffer.kind in (BufferKind.INPUT, BufferKind.SOURCE):
        return Block(f"input {placement.buffer.port}", read_only=True)
    return STATE if placement.buffer.kind is BufferKind.STATE else ARENA


@dataclass(frozen=True)
class Span:
    """Bytes of a tensor: where they lie, and which bytes of the tensor they are."""

    tensor: int
    address: int
    first_byte: int
    bytes: int
    block: Block = ARENA

    def lies_like(self, other: "Span") -> bool:
        """True when both are the same bytes of memory."""
        return (self.block, self.address, self.bytes) == (other.block, other.address, other.bytes)

    def begins_like(self, other: "Span") -> bool:
        """True when both begin with the same byte of memory."""
        return (self.block, self.address) == (other.block, other.address)

    def part(self, first: int, count: int, parts: int) -> "Span":
        """Some of the equal parts of a span."""
        part_bytes = self.bytes // parts
        offset = first * part_bytes
        address, first_byte = self.address + offset, self.first_byte + offset
        return replace(self, address=address, first_byte=first_byte, bytes=count * part_bytes)


class TaggedMemory:
    """All memories of a plan, and what was seen: bytes compared, the highest byte written in the arena, violations."""

    def __init__(self, memory: MemoryPlan) -> None:
        sizes = {ARENA: memory.arena_bytes, STATE: memory.state_bytes}
        sizes |= {block_of(place): place.buffer.bytes for place in memory.inputs}
        self.tags: Mapping[Block, NDArray[np.int64]] = {
            block: np.full(size, GARBAGE, np.int64) for block, size in sizes.items()
        }
        self.checked = 0
        self.high_water = 0
        self.violations: list[str] = []

    def violate(self, text: str) -> None:
        """Note what a plan must not do."""
        self.violations.append(text)

    def deliver(self, span: Span, what: str) -> None:
        """The caller's bytes come to lie where the plan says."""
        held = self._slice(span, what)
        held[:] = _tags(span)[: len(held)]

    def write(self, span: Span, what: str) -> None:
        """A kernel writes."""
        if span.block.read_only:
            self.violate(f"{what}: {span.block.name} is the caller's")
        self.deliver(span, what)
        if span.block is ARENA:
            self.high_water = max(self.high_water, span.address + span.bytes)

    def spoil(self, address: int, length: int, what: str) -> None:
        """Bytes of the arena lose what they held."""
        self._slice(Span(GARBAGE, address, 0, length), what)[:] = GARBAGE
        self.high_water = max(self.high_water, address + length)

    def read(self, span: Span, what: str) -> None:
        """A kernel, or the caller, reads."""
        held = self._slice(span, what)
        self.checked += len(held)
        if not np.array_equal(held, _tags(span)[: len(held)]):
            self.violate(f"{what}: tensor {span.tensor} is not intact at {span.address} (+{span.bytes})")

    def _slice(self, span: Span, what: str) -> "NDArray[np.int64]":
        tags = self.tags[span.block]
        if span.address < 0 or span.address + span.bytes > len(tags):
            end = span.address + span.bytes
            self.violate(f"{what}: bytes {span.address}..{end} are outside of the {span.block.name}")
            return tags[:0]
        return tags[span.address : span.address + span.bytes]


def _tags(span: Span) -> "NDArray[np.int64]":
    return (span.tensor << 32) + np.arange(span.first_byte, span.first_byte + span.bytes, dtype=np.int64)
