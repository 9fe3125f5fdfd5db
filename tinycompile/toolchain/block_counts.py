"""How often each basic block of a firmware runs in one inference: exact, by Unicorn.

The harness runs as on the board, up to the entry of its second `invoke`; from there to its return every block is counted. With
a build that calls `tc_trace_layer` after each row of a layer the counts are cut there.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import unicorn
from elftools.elf.elffile import ELFFile
from unicorn import arm_const as arm

from tinycompile.board import Board
from tinycompile.errors import Problem, ToolError
from tinycompile.toolchain.semihosting import Semihosting

Block = tuple[int, int]
"""Address and bytes of code that runs from its first to its last instruction."""

CPU_MODELS = {
    "cortex-m4": arm.UC_CPU_ARM_CORTEX_M4,
    "cortex-m7": arm.UC_CPU_ARM_CORTEX_M7,
    "cortex-m33": arm.UC_CPU_ARM_CORTEX_M33,
}
"""Processors that Unicorn knows."""

_MEMORY = ((0x0000_0000, 8 << 20), (0x2000_0000, 8 << 20), (0x4000_0000, 1 << 20), (0xE000_0000, 1 << 20))
"""Code, RAM, timer and system registers of the MPS2 boards; the last two need only hold what is written to them."""

_NOWHERE = 0xFFFF_FFFE
_MARKER = "tc_trace_layer"


@dataclass(frozen=True)
class Segment:
    """Blocks between two markers. `layer` is the one that wrote a row then, None after the last marker."""

    layer: int | None
    counts: Counter[Block]


@dataclass(frozen=True)
class Profile:
    """Block counts of the second inference."""

    segments: tuple[Segment, ...]
    code: dict[Block, bytes]

    @property
    def counts(self) -> Counter[Block]:
        """Counts of all segments together."""
        return sum((segment.counts for segment in self.segments), Counter())


def profile(program: Path, name: str, board: Board, directory: Path) -> Profile:
    """Count the blocks of the second inference of a harness whose inputs.bin is in `directory`.

    Raises ToolError when the program faults or ends before its second inference.
    """
    if board.cpu not in CPU_MODELS:
        raise ToolError(
            Problem(f"board {board.name}", f"Unicorn does not know {board.cpu}", ", ".join(CPU_MODELS))
        )
    machine = _Machine(program, board, directory)
    try:
        return machine.profile_second_call(f"{name}_invoke")
    finally:
        machine.semihosting.close()


class _Machine:
    """A Cortex-M with the firmware loaded and semihosting."""

    def __init__(self, program: Path, board: Board, directory: Path) -> None:
        self._place = f"{program.name} in Unicorn"
        self._uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(CPU_MODELS[board.cpu])
        for base, size in _MEMORY:
            self._uc.mem_map(base, size)
        self._symbols = self._load(program)
        self._uc.reg_write(arm.UC_ARM_REG_SP, self._word(0))
        self._pc = self._word(4)
        self.semihosting = Semihosting(self._uc, directory)
        self._uc.hook_add(unicorn.UC_HOOK_INTR, self._interrupt)

    def _load(self, program: Path) -> dict[str, int]:
        with program.open("rb") as file:
            elf = ELFFile(file)
            for segment in elf.iter_segments("PT_LOAD"):
                if segment["p_filesz"]:
                    self._uc.mem_write(segment["p_paddr"], segment.data())
            symbols: Any = elf.get_section_by_name(".symtab")
            return {symbol.name: symbol["st_value"] & ~1 for symbol in symbols.iter_symbols()}

    def _word(self, address: int) -> int:
        return int.from_bytes(self._uc.mem_read(address, 4), "little")

    def _interrupt(self, uc: unicorn.Uc, number: int, _: object) -> None:
        pc = uc.reg_read(arm.UC_ARM_REG_PC)
        if bytes(uc.mem_read(pc, 2)) != b"\xab\xbe":
            self.semihosting.console += f"exception {number} at 0x{pc:08x}"
            self.semihosting.exit_status = -1
        else:
            result = self.semihosting.request(uc.reg_read(arm.UC_ARM_REG_R0), uc.reg_read(arm.UC_ARM_REG_R1))
            uc.reg_write(arm.UC_ARM_REG_R0, result)
            uc.reg_write(arm.UC_ARM_REG_PC, (pc + 2) | 1)
        if self.semihosting.exit_status is not None:
            uc.emu_stop()

    def _run_to(self, address: int) -> None:
        """Run until the program counter is `address`."""
        self._uc.ctl_flush_tb()  # blocks that were translated before know neither this address nor new hooks
        while True:
            try:
                self._uc.emu_start(self._pc | 1, address)
            except unicorn.UcError as error:
                pc = self._uc.reg_read(arm.UC_ARM_REG_PC)
                raise ToolError(Problem(self._place, f"{error} at 0x{pc:08x}")) from error
            self._pc = self._uc.reg_read(arm.UC_ARM_REG_PC)
            if self.semihosting.exit_status is not None:
                status, said = self.semihosting.exit_status, self.semihosting.console
                raise ToolError(
                    Problem(self._place, f"it ended with status {status} before its second inference {said}")
                )
            if self._pc & ~1 == address:
                return

    def profile_second_call(self, function: str) -> Profile:
        entry = self._symbols[function]
        self._run_to(entry)
        self._run_to(self._return_address())
        self._run_to(entry)
        counter = _Counter(self._uc, self._symbols.get(_MARKER, _NOWHERE))
        hook = self._uc.hook_add(unicorn.UC_HOOK_BLOCK, counter.block)
        self._run_to(self._return_address())
        self._uc.hook_del(hook)
        segments = counter.finish()
        blocks = {block for segment in segments for block in segment.counts}
        code = {(address, size): bytes(self._uc.mem_read(address, size)) for address, size in blocks}
        return Profile(segments, code)

    def _return_address(self) -> int:
        address: int = self._uc.reg_read(arm.UC_ARM_REG_LR) & ~1
        return address


class _Counter:
    """The block hook: one dictionary increment a block, a cut at each marker (whose own block is not counted)."""

    def __init__(self, uc: unicorn.Uc, marker: int) -> None:
        self._uc = uc
        self._marker = marker
        self._counts: Counter[Block] = Counter()
        self._segments: list[Segment] = []

    def block(self, _: unicorn.Uc, address: int, size: int, __: object) -> None:
        if address == self._marker:
            self._segments.append(Segment(self._uc.reg_read(arm.UC_ARM_REG_R0), self._counts))
            self._counts = Counter()
            return
        self._counts[address, size] += 1

    def finish(self) -> tuple[Segment, ...]:
        return (*self._segments, Segment(None, self._counts))
