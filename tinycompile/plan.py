"""What planning decides: the order, the regions that run together, and where every buffer lives.

Selection     node -> kernel, with its scratch and granularity
Schedule      regions in order of execution; a single layer is a region with one operator
MemoryPlan    buffers with offsets and live ranges, the peak, and the bounds that it is compared with
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from tinycompile.program import Granularity, RowFormat


@dataclass(frozen=True)
class Candidate:
    """A kernel that could compute a node, with what it would cost."""

    kernel: str
    cycles: int
    flash_bytes: int
    scratch_bytes: int
    granularities: tuple[Granularity, ...]
    step_pixels: int = 0
    """Computing all at once it goes through the pixels in order, in steps of at most so many; 0: not promised."""
    stages_steps: bool = False
    """It reads all inputs of a step before it writes the step's first output."""
    step_rows: int = 0
    """Computing all at once it makes so many rows at a time, in order, and reads an input row once; 0: not promised."""
    reads: RowFormat = RowFormat.INTERLEAVED
    """How the rows of its first input lie."""
    writes: RowFormat = RowFormat.INTERLEAVED
    in_place: bool = False
    """Computing all at once, its output may begin exactly where its input does."""
    over_limit: bool = False
    """It takes more flash than there is for it: it is reported, but not chosen."""

    @property
    def is_linked(self) -> bool:
        """True for a kernel that works with another one only, since rows between them lie as that one wants them."""
        return RowFormat.PLANAR in (self.reads, self.writes)

    @property
    def needs_others(self) -> bool:
        """True for a kernel that runs in a stream only, where it may be chosen, but not before."""
        return self.is_linked or set(self.granularities) == {Granularity.ACCUMULATE}


@dataclass(frozen=True)
class Choice:
    """The kernel chosen for a node and the candidates that were rejected."""

    chosen: Candidate
    rejected: tuple[Candidate, ...] = ()


Selection = Mapping[int, Choice]
"""Choice of each node that runs (views do not), by node id."""


@dataclass(frozen=True)
class Region:
    """Nodes that run together: one, or several through which rows stream.

    A region runs by demand. Its targets, one after the other, compute their rows; before a node computes a row it asks the
    nodes that it pulls from, one after the other, for the rows that it lacks, and they do the same. `targets` and
    `pulls` hold positions in `nodes`, which stand in an order in which they could run one by one.
    """

    index: int
    nodes: tuple[int, ...]
    by_row: bool = False
    """Kernels are called row by row; else the only node computes all at once if its kernel can."""
    targets: tuple[int, ...] = (0,)
    """Nodes whose rows are read after the region, in the order in which they are completed."""
    pulls: tuple[tuple[int, ...], ...] = ((),)
    """For each node those it takes rows from, in the order in which it asks."""
    backward: bool = False
    """The only node computes its last row first, so that its output may follow above its input."""
    accumulates: tuple[int, ...] = ()
    """Positions of the nodes whose calls take in one input row each; the last call writes the only output row."""
    call_cycles: int = 0
    """What calling kernels row by row is estimated to cost beside the kernels' own cycles."""

    def granularity(self, position: int) -> Granularity:
        """What one call of a node's kernel does."""
        if not self.by_row:
            return Granularity.WHOLE
        return Granularity.ACCUMULATE if position in self.accumulates else Granularity.ROW


@dataclass(frozen=True)
class Schedule:
    """Regions in order of execution. `proved` tells whether no other order has a lower peak."""

    regions: tuple[Region, ...]
    proved: bool = False


@dataclass(frozen=True)
class Stripes:
    """All that leads to `tensor` is computed in `count` vertical stripes, and columns that two stripes need twice."""

    tensor: int
    count: int


class InputMode(Enum):
    """Where the graph's inputs lie."""

    ARENA = "arena"
    """In the arena, where they may be overwritten once nobody needs them."""
    CONST = "const"
    """With the caller, who keeps them unchanged until the end."""
    ROWS = "rows"
    """Nowhere: the caller delivers them row by row."""


class BufferKind(Enum):
    """What a buffer holds."""

    FULL = "full"
    """A whole tensor (or several tensors that share storage)."""
    RING = "ring"
    """The last few rows of a tensor inside of a fused region."""
    SCRATCH = "scratch"
    """Working memory of one kernel."""
    STATE = "state"
    """A variable, which outlives the call."""
    INPUT = "input"
    """An input in the caller's memory, which is read only."""
    SOURCE = "source"
    """An input that the caller delivers row by row, in ascending order and once; it lies nowhere."""


@dataclass(frozen=True)
class Buffer:
    """Bytes that live together. `first` and `last` are the regions (inclusive) during which they must stay."""

    name: str
    kind: BufferKind
    bytes: int
    first: int
    last: int
    tensors: tuple[int, ...] = ()
    """Tensors that have this storage (none for scratch)."""
    node: int | None = None
    """The node whose scratch this is."""
    ring_rows: int = 0
    format: RowFormat = RowFormat.INTERLEAVED
    """How the rows of a ring lie."""
    port: int = 0
    """Which input of the graph this is, when it lies with the caller."""


@dataclass(frozen=True)
class Placement:
    """A buffer at its offset in the arena, in bytes."""

    buffer: Buffer
    offset: int

    @property
    def end(self) -> int:
        """First byte after the buffer."""
        return self.offset + self.buffer.bytes


@dataclass(frozen=True)
class Bound:
    """A lower bound of the arena, with the assumption that makes it one."""

    name: str
    bytes: int
    proved: bool
    assumption: str


@dataclass(frozen=True)
class MemoryPlan:
    """Every buffer's place in the arena, every variable's place in the state, and the inputs that the caller keeps."""

    placements: tuple[Placement, ...]
    arena_bytes: int
    bounds: tuple[Bound, ...] = ()
    state: tuple[Placement, ...] = ()
    """Offsets in the state, of buffers that are all of the kind STATE."""
    state_bytes: int = 0
    inputs: tuple[Placement, ...] = ()
    """Buffers of the kinds INPUT and SOURCE; each is a memory of its own, in which its offset is 0."""

    def storage_of(self, tensor: int) -> Placement:
        """Where a tensor lives."""
        for placement in (*self.placements, *self.state, *self.inputs):
            if tensor in placement.buffer.tensors:
                return placement
        raise KeyError(f"tensor {tensor} has no place in the arena, in the state or with the caller")

    def live(self, region: int) -> list[Placement]:
        """What lies in the arena during a region, from the bottom up."""
        live = [p for p in self.placements if p.buffer.first <= region <= p.buffer.last]
        return sorted(live, key=lambda placement: (placement.offset, placement.end))

    def bytes_in_use(self, region: int) -> int:
        """Bytes of the arena that some buffer holds during a region; overlapping buffers count once."""
        used, reached = 0, 0
        for placement in self.live(region):
            used += max(0, placement.end - max(placement.offset, reached))
            reached = max(reached, placement.end)
        return used

    def scratch_of(self, node: int) -> Placement | None:
        """Where a node's scratch lives; None when it has none."""
        for placement in self.placements:
            if placement.buffer.kind is BufferKind.SCRATCH and placement.buffer.node == node:
                return placement
        return None
