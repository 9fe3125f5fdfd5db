"""Stack of functions whose compiler said nothing (the C library, assembly kernels), read off their machine code.

Everything that a function pushes or subtracts from SP anywhere is added up: never too little for a function that does so once.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from tinycompile.toolchain.disassembly import Instruction, disassemble

_ADJUST = re.compile(r"sp, (?:sp, )?#(0x[0-9a-f]+|\d+)")
_STORE = re.compile(r".*\[sp, #-(0x[0-9a-f]+|\d+)\]!")
_TARGET = re.compile(r"#(0x[0-9a-f]+)")


@dataclass(frozen=True)
class MachineFunction:
    """Own stack of a function and the addresses that it calls or jumps to outside of itself."""

    stack_bytes: int
    targets: tuple[int, ...]


class LinkedProgram:
    """The functions of a linked firmware by name and by address."""

    def __init__(self, path: Path) -> None:
        self._names: dict[int, str] = {}
        self._functions: dict[str, tuple[int, bytes]] = {}
        with path.open("rb") as file:
            elf = ELFFile(file)
            symbols: Any = elf.get_section_by_name(".symtab")
            for symbol in symbols.iter_symbols():
                if symbol["st_info"]["type"] == "STT_FUNC" and isinstance(symbol["st_shndx"], int):
                    address = symbol["st_value"] & ~1
                    section = elf.get_section(symbol["st_shndx"])
                    start = address - section["sh_addr"]
                    self._functions[symbol.name] = (
                        address,
                        section.data()[start : start + symbol["st_size"]],
                    )
                    self._names.setdefault(address, symbol.name)

    def name_at(self, address: int) -> str | None:
        """The function that begins at an address."""
        return self._names.get(address)

    def aliases(self, name: str) -> tuple[str, ...]:
        """Other names of the same code: GCC folds identical functions into one."""
        if name not in self._functions:
            return ()
        address = self._functions[name][0]
        return tuple(other for other, (at, _) in self._functions.items() if at == address and other != name)

    def function(self, name: str) -> MachineFunction | None:
        """A function by name; None when it is not linked or its extent is not known."""
        if name not in self._functions or not self._functions[name][1]:
            return None
        address, code = self._functions[name]
        instructions = disassemble(code, address)
        outside = {
            t for t in map(_target, instructions) if t is not None and not address <= t < address + len(code)
        }
        return MachineFunction(sum(map(_stack_bytes, instructions)), tuple(sorted(outside)))


def _target(instruction: Instruction) -> int | None:
    if not instruction.is_branch:
        return None
    found = _TARGET.search(instruction.operands)
    return int(found.group(1), 0) if found else None


def _stack_bytes(instruction: Instruction) -> int:
    """Bytes by which an instruction moves SP down."""
    stem, operands = instruction.stem, instruction.operands
    if stem in ("push", "vpush") or (stem.startswith(("stmdb", "vstmdb")) and operands.startswith("sp!")):
        return instruction.registers * (8 if re.search(r"\{d\d", operands) else 4)
    if stem in ("sub", "subw", "subs") and (found := _ADJUST.fullmatch(operands)):
        return int(found.group(1), 0)
    found = _STORE.fullmatch(operands) if stem.startswith("str") else None
    return int(found.group(1), 0) if found else 0
