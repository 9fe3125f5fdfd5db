"""Flash and RAM of a linked firmware, model data apart from code."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section

from tinycompile.toolchain.cmake import Firmware
from tinycompile.toolchain.generated import Generated

_WEIGHTS = ".tc_weights"
_UNWINDING = (".eh_frame", ".note", ".comment")
"""Of the host's object files only; a microcontroller has none of it."""


@dataclass(frozen=True)
class Sizes:
    """Section sizes."""

    code_bytes: int
    """Flash without weights: instructions, read-only tables, vectors, the image of initialized data."""
    weights_bytes: int
    """Flash of the sections `.tc_weights*`."""
    data_bytes: int
    """RAM of initialized variables."""
    bss_bytes: int
    """RAM of other variables; in the minimal firmware arena and state."""


def firmware_sizes(generated: Generated, firmware: Firmware) -> Sizes:
    """Sizes of the minimal firmware; on the host, where a program carries a C library, of the model's object files."""
    if firmware.minimal is not None and firmware.minimal.suffix == ".elf":
        return _sum_sections([firmware.minimal])
    objects = firmware.directory / "model" / "CMakeFiles" / f"{generated.name}.dir"
    return _sum_sections(sorted(objects.rglob("*.o")))


def _sum_sections(paths: Iterable[Path]) -> Sizes:
    code = weights = data = bss = 0
    for path in paths:
        with path.open("rb") as file:
            for section in ELFFile(file).iter_sections():
                size = int(section["sh_size"])
                if not _is_loaded(section):
                    continue
                if section.name.startswith(_WEIGHTS):
                    weights += size
                elif section["sh_type"] == "SHT_NOBITS":
                    bss += size
                else:
                    code += size
                    data += size if section["sh_flags"] & SH_FLAGS.SHF_WRITE else 0
    return Sizes(code, weights, data, bss)


def _is_loaded(section: Section) -> bool:
    return bool(section["sh_flags"] & SH_FLAGS.SHF_ALLOC) and not section.name.startswith(_UNWINDING)
