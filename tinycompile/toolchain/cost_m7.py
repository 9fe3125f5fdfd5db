"""Static cost of blocks on Cortex-M7: llvm-mca, which knows its dual issue and latencies.

llvm-mca takes an LDM or STM for one cycle; it is charged one more for every two words beyond the first two, the width of the
M7's memory interface. A block is simulated as a loop of itself, so that the result is its throughput in a loop. Instructions
that llvm-mca's assembler does not take are left out and counted, and cost `_UNKNOWN` cycles each.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinycompile.toolchain.disassembly import Instruction
from tinycompile.toolchain.process import require_program, run

_ITERATIONS = 50
_UNKNOWN = 0.8
_ARGUMENTS = (
    "-mtriple=thumbv7em-none-eabihf",
    "-mcpu=cortex-m7",
    f"-iterations={_ITERATIONS}",
    "-resource-pressure=false",
    "-instruction-info=false",
)
_ERROR_LINE = re.compile(r"<stdin>:(\d+):\d+: error")
_UNSUPPORTED = re.compile(r"unsupported instruction.*?instruction:\s+(\S+)", re.DOTALL)
_REGION = re.compile(r"Code Region - b(\d+)\b.*?Total Cycles:\s+(\d+)", re.DOTALL)
_NO_COST = ("tbb", "tbh", "bkpt", "udf")


@dataclass(frozen=True)
class BlockCost:
    """Cycles of one run of a block, and the mnemonics of its instructions that the model did not know."""

    cycles: float
    unmodelled: tuple[str, ...] = ()


def block_costs(blocks: Sequence[Sequence[Instruction]]) -> list[BlockCost]:
    """Costs of all blocks by one simulation. Raises ToolError when llvm-mca is missing or fails."""
    llvm_mca = require_program("llvm-mca")
    texts = [[_assembly(instruction) for instruction in block] for block in blocks]
    left_out: list[list[str]] = [[] for _ in blocks]
    while True:
        source, places = _source(texts)
        done = run([llvm_mca, *_ARGUMENTS], task="modelling Cortex-M7 cycles", stdin=source, check=False)
        refused = _refused(done.log, texts, places)
        if not refused:
            break
        for block, position in refused:
            texts[block][position] = None
            left_out[block].append(blocks[block][position].mnemonic)
    expected = sum(any(text) for text in texts)
    assert done.stdout.count("Total Cycles:") == expected, f"llvm-mca failed: {done.log[-500:]}"
    cycles = {int(number): int(total) / _ITERATIONS for number, total in _REGION.findall(done.stdout)}
    return [
        BlockCost(cycles.get(number, 0.0) + _extra_words(block) + len(unknown) * _UNKNOWN, tuple(unknown))
        for number, (block, unknown) in enumerate(zip(blocks, left_out, strict=True))
    ]


def _refused(
    log: str, texts: Sequence[Sequence[str | None]], places: Mapping[int, tuple[int, int]]
) -> list[tuple[int, int]]:
    """Instructions (block, position) that the assembler does not take, or of the kind that the simulator has no cost for.

    The simulator stops at the first one that it does not know, so all of that mnemonic are left out at once.
    """
    lines = sorted({int(number) for number in _ERROR_LINE.findall(log)})
    unsupported = _UNSUPPORTED.search(log)
    mnemonic = unsupported.group(1) if unsupported else None
    return [places[line] for line in lines] or [
        (block, position)
        for block, listed in enumerate(texts)
        for position, text in enumerate(listed)
        if mnemonic is not None and text is not None and text.split()[0] == mnemonic
    ]


def _source(texts: Sequence[Sequence[str | None]]) -> tuple[str, dict[int, tuple[int, int]]]:
    """One assembly file, a region for each block that has instructions; and line number -> (block, instruction)."""
    lines, places = [".syntax unified", ".thumb"], {}
    for number, block in enumerate(texts):
        if not any(block):
            continue
        lines.append(f"@ LLVM-MCA-BEGIN b{number}")
        for position, text in enumerate(block):
            if text:
                lines.append(text)
                places[len(lines)] = (number, position)
        lines.append("@ LLVM-MCA-END")
    return "\n".join(lines) + "\n", places


def _assembly(instruction: Instruction) -> str | None:
    """The line for llvm-mca; None for what costs nothing. Targets of branches do not matter."""
    if instruction.is_it or instruction.mnemonic in _NO_COST:
        return None
    if instruction.loads_pc:
        return "bx lr"
    if instruction.is_branch and not instruction.mnemonic.startswith(("bx", "blx")):
        return "b ."
    return str(instruction)


def _extra_words(block: Sequence[Instruction]) -> int:
    """Cycles of multiple loads and stores beyond the first: two words each."""
    return sum(
        max(0, (i.registers + 1) // 2 - 1) for i in block if i.is_multiple and not i.mnemonic.startswith("v")
    )
