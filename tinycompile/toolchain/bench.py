"""Measures a generated directory: exact instructions, modelled cycles, stack, flash, layer by layer when asked."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinycompile.board import Board
from tinycompile.toolchain import ticks
from tinycompile.toolchain.block_counts import profile
from tinycompile.toolchain.cmake import Firmware, build_firmware
from tinycompile.toolchain.cycles import Cost, layer_costs, total_cost
from tinycompile.toolchain.generated import Generated, read_generated
from tinycompile.toolchain.harness import HarnessResult, Sample
from tinycompile.toolchain.runner import run_harness
from tinycompile.toolchain.sizes import Sizes, firmware_sizes
from tinycompile.toolchain.stack import StackBound, stack_bound
from tinycompile.toolchain.workspace import workspace

_log = logging.getLogger(__name__)

_NO_BOARD = "this computer is no emulated board: instructions, cycles and stack are not measured"


@dataclass(frozen=True)
class LayerBench:
    """One layer, of a build that marks the ends of layers; its sums may differ a little from the whole model's."""

    index: int
    op: str
    name: str
    instructions: int
    cycles_m7: int
    cycles_m4: int


@dataclass(frozen=True)
class BenchResult:
    """What one inference costs. None: not measured, and `notes` say why."""

    model: str
    board: str
    instructions: int | None
    cycles_m7: int | None
    cycles_m4: int | None
    stack_bytes: int | None
    """Painted: what `invoke` touched below its caller's stack pointer."""
    stack_bound_bytes: int | None
    """Static: the deepest chain of calls."""
    code_bytes: int
    weights_bytes: int
    data_bytes: int
    layers: tuple[LayerBench, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The result for JSON."""
        return asdict(self)


def bench_directory(
    generated_dir: Path,
    board: Board,
    samples: Sequence[Sample],
    layers: bool = False,
    *,
    work_dir: Path | None = None,
) -> BenchResult:
    """Build the model for a board and measure its second inference, on the second sample when there is one.

    `work_dir` keeps the build for a later call. Raises ToolError when a tool is missing or fails, VerificationError when the
    generated code reports an error or writes outside of its memory.
    """
    generated = read_generated(generated_dir)
    with workspace(work_dir) as directory:
        firmware = build_firmware(generated, board, directory / "plain")
        sizes = firmware_sizes(generated, firmware)
        pair = [samples[0], samples[min(1, len(samples) - 1)]]
        result = run_harness(generated, firmware, board, pair, count_instructions=not board.is_host)
        if board.emulator is None:
            return _result(generated, board, sizes, notes=(_NO_BOARD,))
        counted = ticks.instructions(result.invoke, result.empty, board.emulator.timer_hz)
        cost, notes = _modelled(generated, board, firmware, counted)
        by_layer = _layers(generated, board, pair, directory) if layers and cost is not None else ()
        bound = stack_bound(generated, firmware)
        return _result(
            generated, board, sizes, counted, cost, result, bound, by_layer, (*notes, *_stack_notes(bound))
        )


def _modelled(
    generated: Generated, board: Board, firmware: Firmware, counted: int
) -> tuple[Cost | None, tuple[str, ...]]:
    """Modelled cycles, and notes on what the model lacks."""
    if board.cycle_model is None:
        return None, (f"there is no cycle model for {board.cpu}",)
    cost = total_cost(profile(firmware.harness, generated.name, board, firmware.directory))
    notes = []
    if cost.instructions != counted:
        notes.append(
            f"QEMU counts {counted} instructions, Unicorn {cost.instructions}: the modelled cycles are doubtful"
        )
    if cost.unmodelled:
        named = ", ".join(f"{executed} {mnemonic}" for mnemonic, executed in cost.unmodelled.items())
        notes.append(f"llvm-mca does not know {named} of {cost.instructions} executed instructions")
    return cost, tuple(notes)


def _stack_notes(bound: StackBound) -> tuple[str, ...]:
    if bound.unknown:
        return (f"no static bound of the stack, because of: {', '.join(bound.unknown)}",)
    return ()


def _layers(
    generated: Generated, board: Board, samples: Sequence[Sample], directory: Path
) -> tuple[LayerBench, ...]:
    firmware = build_firmware(generated, board, directory / "markers", trace="MARKERS")
    run_harness(generated, firmware, board, samples)
    costs = layer_costs(profile(firmware.harness, generated.name, board, firmware.directory))
    return tuple(
        LayerBench(layer.index, layer.op, layer.name, cost.instructions, cost.cycles_m7, cost.cycles_m4)
        for layer in generated.layers
        if (cost := costs.get(layer.index)) is not None
    )


def _result(
    generated: Generated,
    board: Board,
    sizes: Sizes,
    instructions: int | None = None,
    cost: Cost | None = None,
    run: HarnessResult | None = None,
    bound: StackBound | None = None,
    layers: tuple[LayerBench, ...] = (),
    notes: tuple[str, ...] = (),
) -> BenchResult:
    for note in notes:
        _log.info("%s: %s", generated.name, note)
    return BenchResult(
        model=generated.name,
        board=board.name,
        instructions=instructions,
        cycles_m7=cost.cycles_m7 if cost else None,
        cycles_m4=cost.cycles_m4 if cost else None,
        stack_bytes=run.invoke.stack_bytes - run.empty.stack_bytes if run else None,
        stack_bound_bytes=bound.stack_bytes if bound else None,
        code_bytes=sizes.code_bytes,
        weights_bytes=sizes.weights_bytes,
        data_bytes=sizes.data_bytes,
        layers=layers,
        notes=notes,
    )
