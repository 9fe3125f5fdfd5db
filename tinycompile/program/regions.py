"""What runs: kernels at work on operands, and the order in which the rows of several of them are computed."""

from dataclasses import dataclass

from tinycompile.program.convention import Granularity
from tinycompile.program.operands import Operand, Piece, Space


@dataclass(frozen=True)
class Pull:
    """What a stage asks of another one in its region: before call r, `min((r + lead) / repeat * stride + reach, rows)` of its
    rows, with the quotient rounded down.
    """

    stage: int
    stride: int
    reach: int
    rows: int
    repeat: int = 1
    lead: int = 0


@dataclass(frozen=True)
class Stage:
    """One kernel at work: which function, on which operands, how often."""

    layer: int
    node: int
    """The operator of the graph that it computes: what is replayed is held against its reference."""
    function: str
    granularity: Granularity
    calls: int
    """Number of output rows (ROW) or 1 (WHOLE)."""
    rows_per_image: int
    outputs: tuple[Operand, ...]
    inputs: tuple[Operand, ...]
    operands: tuple[int, ...]
    """Which input of the operator each of `inputs` is."""
    constants: tuple[str, ...] = ()
    arguments: tuple[int, ...] = ()
    takes_row: bool = False
    scratch_offset: int | None = None
    pulls: tuple[Pull, ...] = ()
    """Rows that must exist before a call, in the order in which they are asked for."""


@dataclass(frozen=True)
class RegionCode:
    """Stages that run together. With more than one, rows stream through all of them (ring buffers between).

    A region of several stages runs by demand: each target in turn computes all of its rows, and every stage asks for the rows
    that it lacks before it computes one. `backward`: the only stage computes its last row first.
    """

    index: int
    stages: tuple[Stage, ...]
    targets: tuple[int, ...] = (0,)
    backward: bool = False

    @property
    def _places(self) -> list[Piece | Operand]:
        operands = [operand for stage in self.stages for operand in (*stage.inputs, *stage.outputs)]
        return [place for operand in operands for place in operand.pieces or (operand,)]

    @property
    def uses_state(self) -> bool:
        """True when a stage reads or writes a variable."""
        return any(place.space is Space.STATE for place in self._places)

    @property
    def input_ports(self) -> tuple[int, ...]:
        """Inputs that a stage reads in the caller's memory."""
        return tuple(sorted({place.port for place in self._places if place.space is Space.INPUT}))
