"""Kernels that are one template."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Parameter, Passing


@dataclass(frozen=True)
class TemplateCode:
    """A template with its holes, the inputs that it is passed (their indices), its data, and its cost in cycles."""

    template: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    inputs: tuple[int, ...] = (0,)
    constants: tuple[Constant, ...] = ()
    arguments: tuple[int, ...] = ()
    scratch_bytes: int = 0
    runtime: tuple[str, ...] = ()
    cycles: int = 1


class TemplateKernel(Kernel):
    """Calls a template once, or `by_row` once for each output row, with its number and windows of its inputs."""

    name = "portable"

    def __init__(self, code: Callable[[Operation], TemplateCode], by_row: bool = False) -> None:
        self._code = code
        self._by_row = by_row
        self.granularities = (Granularity.ROW if by_row else Granularity.WHOLE,)  # type: ignore[misc]

    def cost(self, operation: Operation, board: Board) -> Cost:
        """What the template says."""
        code = self._code(operation)
        return Cost(code.cycles, sum(constant.bytes for constant in code.constants))

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """What the template says."""
        return self._code(operation).scratch_bytes

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """The template for the whole output, or for a row."""
        code = self._code(operation)
        return KernelCode(
            template=code.template,
            parameters=code.parameters,
            granularity=granularity,
            inputs=tuple((i, Passing.WINDOW if self._by_row else Passing.POINTER) for i in code.inputs),
            constants=code.constants,
            arguments=code.arguments,
            takes_row=self._by_row,
            scratch_bytes=code.scratch_bytes,
            runtime=code.runtime,
        )


class DspTemplateKernel(TemplateKernel):
    """The same with the DSP extension."""

    name = "dsp"

    def supports(self, operation: Operation, board: Board) -> bool:
        """int8 activations, on boards that have the extension."""
        return board.dsp and operation.output.dtype is DType.INT8
