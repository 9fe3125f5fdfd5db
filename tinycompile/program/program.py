"""A compiled model as a whole, and the kernels it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinycompile.program.constants import Constant, StateValue
from tinycompile.program.convention import Granularity, Parameter, Passing
from tinycompile.program.layers import Layer
from tinycompile.program.operands import Port
from tinycompile.program.regions import RegionCode


@dataclass(frozen=True)
class KernelFunction:
    """A specialised C function: one template with its holes filled; stages with equal holes share it."""

    name: str
    template: str
    parameters: Mapping[str, Parameter]


@dataclass(frozen=True, eq=False)
class Program:
    """A compiled model, complete for printing."""

    name: str
    board: str
    cpu: str
    dsp: bool
    cflags: tuple[str, ...]
    tool_version: str
    model_sha256: str
    options: Mapping[str, Parameter]
    arena_bytes: int
    arena_align: int
    state_bytes: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    constants: tuple[Constant, ...]
    functions: tuple[KernelFunction, ...]
    regions: tuple[RegionCode, ...]
    layers: tuple[Layer, ...]
    macs: int
    """Multiply-accumulates of the model as the file has it."""
    runtime: tuple[str, ...]
    place: str = "the model"
    """What comments call it: the model, or a subgraph of it."""
    state: tuple[StateValue, ...] = ()
    """Initial values of the variables, in ascending order of offsets."""
    changes: tuple[Mapping[str, Parameter], ...] = ()
    """What the passes did, and why it is exact."""
    bodies: tuple["Program", ...] = ()
    """Programs of subgraphs that kernels run, each behind those that it runs itself. Their constants are among `constants`."""
    memory: Mapping[str, Any] = field(default_factory=dict)
    """The `memory` part of report.json: peak, step and tensors that make it, bounds."""

    @property
    def input_align(self) -> int:
        """Bytes to whose multiples the caller aligns inputs of his own: words, or elements when they are larger."""
        return max([4, *(port.bytes // port.elements for port in self.inputs if port.elements)])

    @property
    def weights_bytes(self) -> int:
        """Bytes of all constants in the weights section."""
        return sum(constant.bytes for constant in self.constants if constant.is_weight)

    @property
    def macs_executed(self) -> int:
        """Multiply-accumulates that the generated code computes."""
        return sum(layer.macs_executed for layer in self.layers)


@dataclass(frozen=True)
class KernelCode:
    """What a kernel of `tinycompile.ops` makes of one operator: the holes of its template, and the data it reads.

    `inputs` lists, in the order of the C signature, which operand of the operator is passed, and how. `runtime` names the files
    of `runtime_c/` that the template includes or calls.
    """

    template: str
    parameters: Mapping[str, Parameter]
    granularity: Granularity
    inputs: tuple[tuple[int, Passing], ...]
    constants: tuple[Constant, ...] = ()
    arguments: tuple[int, ...] = ()
    takes_row: bool = False
    scratch_bytes: int = 0
    runtime: tuple[str, ...] = ()
    calls: tuple[Program, ...] = ()
    """Programs of subgraphs that the kernel runs: `NAME_run(&context)`, whose inputs are the caller's and only read."""
