"""What an operator of the compiler is: attributes, shapes, limits, reference semantics, access, and kernels.

One file per operator; see `docs/adding-an-operator.md`. Nothing here knows FlatBuffers or Jinja.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from tinycompile.board import Board
from tinycompile.ir import Array, Attributes, DType, Node, Options, Tensor
from tinycompile.ops.access import POINTWISE, Access, row_shape
from tinycompile.program import Granularity, KernelCode, RowFormat


@dataclass(frozen=True, eq=False)
class Operation:
    """A node with its tensors at hand: what every method of an operator works on."""

    node: Node
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    def input(self, index: int) -> Tensor:
        """A mandatory input."""
        tensor = self.inputs[index]
        assert tensor is not None, f"{self.node.place}: input {index} is missing"
        return tensor

    def optional(self, index: int) -> Tensor | None:
        """An optional input, None when it is absent."""
        return self.inputs[index] if index < len(self.inputs) else None

    @property
    def output(self) -> Tensor:
        """The only (or first) output."""
        return self.outputs[0]

    @property
    def rows(self) -> int:
        """Rows of the first output."""
        return row_shape(self.output.shape)[0]

    @property
    def images(self) -> int:
        """Images in the first output's batch."""
        return self.output.shape[0] if len(self.output.shape) == 4 else 1


@dataclass(frozen=True)
class TypeRule:
    """One combination of element types that an operator takes; the last input type repeats for further inputs."""

    inputs: tuple[DType, ...]
    outputs: tuple[DType, ...]

    def fits(self, operation: Operation) -> bool:
        """True when all tensors have the types of the rule; an absent optional input fits."""
        pairs = [
            (tensor, self.inputs[min(i, len(self.inputs) - 1)]) for i, tensor in enumerate(operation.inputs)
        ]
        pairs += [(t, self.outputs[min(i, len(self.outputs) - 1)]) for i, t in enumerate(operation.outputs)]
        return all(tensor is None or tensor.dtype is dtype for tensor, dtype in pairs)

    def __str__(self) -> str:
        return f"{', '.join(t.value for t in self.inputs)} -> {', '.join(t.value for t in self.outputs)}"


Limit = Callable[[Operation], str | None]
"""A limit: None when the operation keeps it, else what was found. Its docstring is the sentence that users read."""


@dataclass(frozen=True)
class Cost:
    """Estimate for one operator on one board, from which the kernel is chosen."""

    cycles: int
    flash_bytes: int = 0


class Kernel(ABC):
    """One way to compute an operator: a template with a condition, a cost, and the data that it reads."""

    name: ClassVar[str]
    granularities: ClassVar[tuple[Granularity, ...]] = (Granularity.WHOLE,)
    reads: ClassVar[RowFormat] = RowFormat.INTERLEAVED
    """How the rows of input 0 lie; others than the tensor's own are only between two operators of a fused region."""
    writes: ClassVar[RowFormat] = RowFormat.INTERLEAVED
    """How the rows of the output lie."""
    stages_steps: ClassVar[bool] = False
    """All inputs of a step (see `step_pixels`) are read before its first output is written."""

    def supports(self, operation: Operation, board: Board) -> bool:
        """True when the kernel computes this operation exactly on this board."""
        return True

    @abstractmethod
    def cost(self, operation: Operation, board: Board) -> Cost:
        """Estimated cycles and flash on this board."""

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """Working memory of one call; the `scratch_bytes` of `lower`'s result say the same."""
        return 0

    def step_pixels(self, operation: Operation) -> int:
        """Pixels that a pointwise kernel computes together when it computes all at once; 0 when that is not promised.

        Such a kernel goes through the pixels in order, in steps of at most so many, and reads no input of a step after it
        has written the step's last output. The output may then run over an input that nobody else needs.
        """
        return 0

    def step_rows(self, operation: Operation) -> int:
        """Rows that a kernel makes together when it computes all at once; 0 when that is not promised.

        Such a kernel goes through the rows in order, in steps of so many, the last one perhaps shorter. It reads every input row
        once, and those of a step before it writes the step's first output. The output may then run over the input.
        """
        return 0

    def in_place(self, operation: Operation) -> bool:
        """True when the output may begin exactly where the input does, computing all at once; their sizes may differ."""
        return False

    def macs_left_out(self, operation: Operation) -> int:
        """Multiply-accumulates of the nominal computation that are not executed, since their weights are zero."""
        return 0

    @abstractmethod
    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """The holes of the template and the packed constants, for calls of one row or of the whole output.

        Names of constants are roles such as `weights`; lowering makes them unique.
        """


class Operator(ABC):
    """Everything that the compiler knows of one TFLite operator."""

    kind: ClassVar[str]
    """Name in the .tflite schema's BuiltinOperator."""
    types: ClassVar[tuple[TypeRule, ...]]
    limits: ClassVar[tuple[Limit, ...]] = ()
    min_inputs: ClassVar[int] = 1
    max_inputs: ClassVar[int | None] = None
    """None: as `min_inputs`."""
    is_view: ClassVar[bool] = False
    """The output is the first input under another shape: no code, same storage."""
    made_by_passes: ClassVar[bool] = False
    """No operator of the schema: a file that names it is refused."""
    updates: ClassVar[tuple[int, ...]] = ()
    """Inputs that are variable tensors of the file, which a call leaves changed.

    A graph has their new values as further outputs behind those of the file; `evaluate` returns them. Old and new value lie at
    one place: a kernel gets the pointer once, as a further output, and finds the old value there.
    """
    kernels: ClassVar[tuple[Kernel, ...]] = ()

    def parse(self, options: Options) -> Attributes:
        """Read the options of the .tflite operator; absent ones have the schema's default."""
        return Attributes()

    @abstractmethod
    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Shapes of the outputs as they follow from inputs and attributes; the frontend compares them with the file."""

    @abstractmethod
    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Reference semantics in numpy, equal to TFLite's reference kernel on every byte."""

    def state(self, operation: Operation) -> tuple[Array, ...]:
        """Initial values of what the operator itself keeps between calls, without tensors in the file.

        A graph has the old values as further inputs behind those of the file; what else is said of `updates` holds for them too.
        """
        return ()

    def access(self, operation: Operation, index: int) -> Access:
        """How output rows depend on the rows of input `index`."""
        return POINTWISE

    def filter_pointers(self, operation: Operation, pointers: int, out_row: int) -> tuple[int | None, ...]:
        """For each row of a filter the pointer of a window that it is multiplied with, None where there is none.

        `pointers` is the number of those of a window; `out_row` counts the output rows of an image.
        """
        return tuple(range(pointers))

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """Inputs whose storage the (first) output may take exactly: each element is read before its place is written."""
        return ()

    def kernels_for(self, operation: Operation) -> tuple[Kernel, ...]:
        """The kernels for this operation's element types; each still says whether it supports the operation."""
        return self.kernels

    def follows(self, operation: Operation) -> tuple[int, ...]:
        """Nodes that must have ended before this operation begins, although it reads nothing of theirs."""
        return ()

    def macs(self, operation: Operation) -> int:
        """Multiply-accumulates of the nominal computation."""
        return 0

    def zero_weights(self, operation: Operation) -> int:
        """Constant weights that add nothing to any output."""
        return 0


class CustomOperator(Operator):
    """An operator that the schema does not know: a file names it by a string.

    Options that are a FlexBuffer map reach `parse` by key; `options["custom_options"]` has their bytes in any case.
    """

    custom_code: ClassVar[str]
    """Name in the file, such as `SignalWindow`."""

    def __init_subclass__(cls) -> None:
        if hasattr(cls, "custom_code"):
            cls.kind = f"CUSTOM {cls.custom_code}"


@dataclass
class Registry:
    """The operators by kind, filled by importing the files of `tinycompile.ops`."""

    operators: dict[str, Operator] = field(default_factory=dict)

    def add(self, operator: type[Operator]) -> type[Operator]:
        """Class decorator: register an operator under its kind."""
        assert operator.kind not in self.operators, f"{operator.kind} is registered twice"
        self.operators[operator.kind] = operator()
        return operator


registry = Registry()
register = registry.add
