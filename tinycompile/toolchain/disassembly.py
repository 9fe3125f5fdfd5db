"""Thumb instructions of a block, with what the cost models ask about them."""

import re
from dataclasses import dataclass

import capstone

_CONDITIONS = "eq|ne|hs|cs|lo|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le"
_CONDITIONAL = re.compile(rf"(?P<stem>\w+?)(?:{_CONDITIONS})(?P<width>\.\w+)*")
_BRANCH = re.compile(rf"b({_CONDITIONS})?(\.w)?|bl|blx|bx|cbn?z|tb[bh]")
_REGISTER_LIST = re.compile(r"\{(.*)\}")
_MULTIPLE = ("ldm", "stm", "push", "pop", "vldm", "vstm", "vpush", "vpop")
_IT = re.compile(r"it[te]*")
_AFTER_IT = 4
"""An IT block has at most four instructions."""


@dataclass(frozen=True)
class Instruction:
    """One instruction as Capstone writes it; inside an IT block `mnemonic` has its condition taken off."""

    mnemonic: str
    operands: str

    @property
    def stem(self) -> str:
        """The mnemonic without `.w`, `.f32` and the like."""
        return self.mnemonic.split(".")[0]

    @property
    def is_it(self) -> bool:
        """IT, ITT, ITE, ..."""
        return _IT.fullmatch(self.mnemonic) is not None

    @property
    def is_branch(self) -> bool:
        """A branch of any kind, calls and returns by BX included."""
        return _BRANCH.fullmatch(self.mnemonic) is not None

    @property
    def is_multiple(self) -> bool:
        """Loads or stores a list of registers."""
        return self.mnemonic.startswith(_MULTIPLE)

    @property
    def loads_pc(self) -> bool:
        """Returns by loading the program counter."""
        return self.is_multiple and "pc" in self.operands

    @property
    def registers(self) -> int:
        """Number of registers in the list of a multiple load or store."""
        listed = _REGISTER_LIST.search(self.operands)
        return sum(_count(part) for part in listed.group(1).split(",")) if listed else 0

    def __str__(self) -> str:
        return f"{self.mnemonic} {self.operands}".rstrip()


def disassemble(code: bytes, address: int) -> tuple[Instruction, ...]:
    """The instructions of a block. Bytes that Capstone does not know end the list early."""
    decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    instructions: list[Instruction] = []
    conditional = 0
    for _, _, mnemonic, operands in decoder.disasm_lite(code, address):
        instruction = Instruction(_unconditional(mnemonic) if conditional else mnemonic, operands)
        conditional = len(mnemonic) - 1 if _IT.fullmatch(mnemonic) else max(0, conditional - 1)
        assert conditional <= _AFTER_IT
        instructions.append(instruction)
    return tuple(instructions)


def _unconditional(mnemonic: str) -> str:
    matched = _CONDITIONAL.fullmatch(mnemonic)
    if matched is None:
        return mnemonic
    return mnemonic.replace(mnemonic.split(".")[0], matched["stem"], 1)


def _count(part: str) -> int:
    """Registers of one element of a list: `r4` or `r4-r7`."""
    numbers = [int(number) for number in re.findall(r"\d+", part)]
    return numbers[1] - numbers[0] + 1 if len(numbers) == 2 else 1
