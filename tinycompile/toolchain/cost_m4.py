"""Static cost of a block on Cortex-M4: the instruction timing table of its Technical Reference Manual.

A load is 2 cycles, 1 behind another single load or store (they pipeline); a store 1; a multiple load or store 1 + registers;
a divide 8 (2 to 12); a branch 3 (pipeline refill, taken as always taken); everything else, MAC and SIMD included, 1.
Memory has no wait states.
"""

from collections.abc import Sequence

from tinycompile.toolchain.disassembly import Instruction

_DIVIDE = 8
_FLOAT_DIVIDE = 14
_BRANCH = 3
_LOAD_PC = 2
_DOUBLE = 3


def block_cycles(instructions: Sequence[Instruction]) -> float:
    """Cycles of one run of a block."""
    cycles, behind_access = 0, False
    for instruction in instructions:
        cycles += _cycles(instruction, behind_access)
        behind_access = _is_single_access(instruction)
    return float(cycles)


def _cycles(instruction: Instruction, behind_access: bool) -> int:
    stem = instruction.stem
    if instruction.is_multiple:
        return 1 + instruction.registers + (_LOAD_PC if instruction.loads_pc else 0)
    if stem.startswith(("ldrd", "strd")):
        return _DOUBLE
    if stem.startswith(("ldr", "vldr")):
        return 1 if behind_access else 2
    if stem.startswith(("sdiv", "udiv")):
        return _DIVIDE
    if stem.startswith(("vdiv", "vsqrt")):
        return _FLOAT_DIVIDE
    return _BRANCH if instruction.is_branch else 1


def _is_single_access(instruction: Instruction) -> bool:
    stem = instruction.stem
    return stem.startswith(("ldr", "vldr", "str", "vstr")) and not stem.startswith(("ldrd", "strd"))
