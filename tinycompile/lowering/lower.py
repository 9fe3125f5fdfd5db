"""The last look at the graph: every operator becomes a stage of the program, with addresses, constants and comments."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from tinycompile.board import Board
from tinycompile.ir import Graph, Tensor
from tinycompile.lowering.constants import ConstantPool, FunctionPool
from tinycompile.lowering.memory import memory_report
from tinycompile.lowering.operands import OperandResolver
from tinycompile.lowering.pulls import input_rows, pulls_of
from tinycompile.lowering.select import kernel_of
from tinycompile.lowering.state import state_value
from tinycompile.ops import Operation, operation, operator_of
from tinycompile.plan import Candidate, Choice, MemoryPlan, Region, Schedule, Selection
from tinycompile.program import (
    Constant,
    Granularity,
    KernelCode,
    Layer,
    Operand,
    Parameter,
    Port,
    Program,
    RegionCode,
    Stage,
)

ARENA_ALIGN = 16


@dataclass(frozen=True)
class BuildInfo:
    """What a program says of its own making."""

    name: str
    tool_version: str
    model_sha256: str
    options: Mapping[str, Parameter]
    source_macs: Mapping[int, int]
    """MACs of the model's operators as the file has them, by operator index."""


@dataclass(frozen=True, eq=False)
class _Lowering:
    graph: Graph
    selection: Selection
    schedule: Schedule
    plan: MemoryPlan
    board: Board
    constants: ConstantPool
    functions: FunctionPool
    operands: OperandResolver
    info: BuildInfo

    def regions(self) -> tuple[tuple[RegionCode, ...], tuple[Layer, ...]]:
        """All regions with their layers, numbered in order of execution."""
        regions: list[RegionCode] = []
        layers: list[Layer] = []
        for region in self.schedule.regions:
            stages = []
            for position in range(len(region.nodes)):
                stage, layer = self.stage(len(layers), region, position)
                stages.append(stage)
                layers.append(layer)
            regions.append(RegionCode(region.index, tuple(stages), region.targets, region.backward))
        return tuple(regions), tuple(layers)

    def stage(self, index: int, region: Region, position: int) -> tuple[Stage, Layer]:
        """One operator as a stage of its region."""
        node_id = region.nodes[position]
        node = next(n for n in self.graph.nodes if n.id == node_id)
        current = operation(self.graph, node)
        choice = self.selection[node_id]
        granularity = region.granularity(position)
        assert granularity in choice.chosen.granularities, f"{node.place}: {granularity} is not offered"
        kernel = kernel_of(current, choice.chosen.kernel)
        code = kernel.lower(current, self.board, granularity)
        assert code.scratch_bytes == choice.chosen.scratch_bytes, (
            f"{node.place}: scratch differs from the plan's"
        )
        slug = f"l{index:02d}_" + re.sub(r"\W+", "_", node.kind.lower(), flags=re.ASCII)
        scratch = self.plan.scratch_of(node_id)
        stage = Stage(
            layer=index,
            node=node_id,
            function=self.functions.add(slug, code),
            granularity=code.granularity,
            calls=_calls(current, granularity),
            rows_per_image=current.rows // max(current.images, 1),
            outputs=tuple(self.operands.output(tensor, granularity) for tensor in current.outputs),
            inputs=tuple(self.operands.input(current, i, passing, granularity) for i, passing in code.inputs),
            operands=tuple(i for i, _ in code.inputs),
            constants=tuple(self.constants.add(f"{slug}_{c.name}", c) for c in code.constants),
            arguments=code.arguments,
            takes_row=code.takes_row,
            scratch_offset=scratch.offset if scratch and code.scratch_bytes else None,
            pulls=pulls_of(self.graph, region, position),
        )
        return stage, self.layer(index, region, current, choice, code)

    def layers_of(self, source: int) -> int:
        """How many layers compute an operator of the file: they share its MACs."""
        return sum(source in node.source for node in self.graph.nodes)

    def layer(
        self, index: int, region: Region, current: Operation, choice: Choice, code: KernelCode
    ) -> Layer:
        """What comments and reports say of a stage."""
        node = current.node
        operator, kernel = operator_of(node), kernel_of(current, choice.chosen.kernel)
        return Layer(
            index=index,
            op=node.kind,
            name=node.name,
            source_ops=node.source,
            kernel=choice.chosen.kernel,
            macs=sum(self.info.source_macs.get(s, 0) // self.layers_of(s) for s in node.source),
            macs_executed=operator.macs(current) - kernel.macs_left_out(current),
            zero_weights=operator.zero_weights(current),
            inputs=tuple(self.operands.describe(t) for t in current.inputs if t is not None),
            outputs=tuple(self.operands.describe(t) for t in current.outputs),
            output_tensors=tuple(t.part.source if t.part else t.source for t in current.outputs),
            output_channels=tuple(t.part.channels if t.part else None for t in current.outputs),
            output_shapes=tuple(t.shape for t in current.outputs),
            output_dtypes=tuple(t.dtype.value for t in current.outputs),
            output_formats=tuple(kernel.writes for _ in current.outputs),
            scratch_bytes=code.scratch_bytes,
            arena_bytes=self.plan.bytes_in_use(region.index),
            weights_bytes=sum(c.bytes for c in code.constants) + sum(p.weights_bytes for p in code.calls),
            estimated_cycles=choice.chosen.cycles,
            estimated_flash_bytes=choice.chosen.flash_bytes,
            alternatives=tuple(_as_parameters(candidate) for candidate in choice.rejected),
        )


def lower(
    graph: Graph, selection: Selection, schedule: Schedule, plan: MemoryPlan, board: Board, info: BuildInfo
) -> Program:
    """Make the complete program from a planned graph."""
    constants, functions = ConstantPool(info.name), FunctionPool(info.name)
    operands = OperandResolver(graph, plan, constants)
    regions, layers = _Lowering(
        graph, selection, schedule, plan, board, constants, functions, operands, info
    ).regions()
    state = tuple(state_value(graph, plan, constants, variable) for variable in graph.variables)
    return Program(
        name=info.name,
        board=board.name,
        cpu=board.cpu,
        dsp=board.dsp,
        cflags=board.cflags,
        tool_version=info.tool_version,
        model_sha256=info.model_sha256,
        options=info.options,
        arena_bytes=plan.arena_bytes,
        arena_align=ARENA_ALIGN,
        state_bytes=plan.state_bytes,
        inputs=tuple(_port(operands, i, graph.tensors[t]) for i, t in enumerate(graph.inputs)),
        outputs=tuple(_port(operands, i, graph.tensors[t]) for i, t in enumerate(graph.outputs)),
        constants=(*constants.constants, *_constants(functions.bodies)),
        functions=functions.functions,
        regions=regions,
        layers=layers,
        macs=sum(info.source_macs.values()),
        runtime=functions.runtime,
        state=state,
        changes=tuple(asdict(change) for change in graph.changes),
        bodies=functions.bodies,
        memory=memory_report(graph, schedule, plan),
    )


def _constants(bodies: Sequence[Program]) -> tuple[Constant, ...]:
    """The constants of bodies, which have those of the bodies that they run themselves."""
    return tuple({constant.name: constant for body in bodies for constant in body.constants}.values())


def _calls(current: Operation, granularity: Granularity) -> int:
    """Calls of a kernel: one, or one for each row of the output or of the input."""
    by_granularity = {Granularity.WHOLE: 1, Granularity.ROW: current.rows}
    return by_granularity[granularity] if granularity in by_granularity else input_rows(current)


def _port(operands: OperandResolver, index: int, tensor: Tensor) -> Port:
    place: Operand = operands.whole(tensor)
    quantization = tensor.quantization
    per_tensor = quantization if quantization is not None and not quantization.per_channel else None
    return Port(
        index=index,
        name=tensor.name,
        dtype=tensor.dtype.value,
        shape=tensor.shape,
        bytes=tensor.bytes,
        space=place.space,
        offset=place.offset,
        constant=place.constant,
        port=place.port,
        scale=per_tensor.scale if per_tensor else None,
        zero_point=per_tensor.zero_point if per_tensor else None,
    )


def _as_parameters(candidate: Candidate) -> Mapping[str, Parameter]:
    return {
        "kernel": candidate.kernel,
        "cycles": candidate.cycles,
        "flash_bytes": candidate.flash_bytes,
        "scratch_bytes": candidate.scratch_bytes,
    }
