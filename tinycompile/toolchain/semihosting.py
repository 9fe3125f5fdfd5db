"""Arm semihosting for a program that runs in Unicorn: files in one directory, exit. QEMU does the same by itself."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

_OPEN, _CLOSE, _WRITE0, _WRITE, _READ, _EXIT_EXTENDED = 0x01, 0x02, 0x04, 0x05, 0x06, 0x20
_FAILED = 0xFFFF_FFFF
_FIRST_WRITING_MODE = 4
"""Modes 0 to 3 are "r", "rb", "r+", "r+b"; the others write or append."""


class Memory(Protocol):
    """The memory of the emulated machine."""

    def mem_read(self, address: int, size: int) -> bytearray: ...
    def mem_write(self, address: int, data: bytes) -> None: ...


class Semihosting:
    """Answers the requests that a program makes with `bkpt 0xab`. `exit_status` is None until the program ends."""

    def __init__(self, memory: Memory, directory: Path) -> None:
        self.exit_status: int | None = None
        self.console = ""
        self._memory = memory
        self._directory = directory
        self._files: dict[int, BinaryIO] = {}
        self._operations: dict[int, Callable[[int], int]] = {
            _OPEN: self._open,
            _CLOSE: self._close,
            _WRITE0: self._write0,
            _WRITE: self._write,
            _READ: self._read,
            _EXIT_EXTENDED: self._exit,
        }

    def request(self, operation: int, argument: int) -> int:
        """Perform an operation; the result goes to r0."""
        perform = self._operations.get(operation)
        return _FAILED if perform is None else perform(argument)

    def close(self) -> None:
        """Close the files that the program left open."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _word(self, address: int) -> int:
        return int.from_bytes(self._memory.mem_read(address, 4), "little")

    def _open(self, block: int) -> int:
        name = bytes(self._memory.mem_read(self._word(block), self._word(block + 8))).decode()
        mode = "rb" if self._word(block + 4) < _FIRST_WRITING_MODE else "wb"
        handle = max(self._files, default=0) + 1
        try:
            self._files[handle] = (self._directory / name).open(mode)  # type: ignore[assignment]
        except OSError:
            return _FAILED
        return handle

    def _close(self, block: int) -> int:
        self._files.pop(self._word(block)).close()
        return 0

    def _write0(self, address: int) -> int:
        text = bytearray()
        while (character := self._memory.mem_read(address + len(text), 1)[0]) != 0:
            text.append(character)
        self.console += text.decode(errors="replace")
        return 0

    def _write(self, block: int) -> int:
        self._files[self._word(block)].write(
            bytes(self._memory.mem_read(self._word(block + 4), self._word(block + 8)))
        )
        return 0

    def _read(self, block: int) -> int:
        """Returns the bytes that were not read."""
        wanted = self._word(block + 8)
        data = self._files[self._word(block)].read(wanted)
        self._memory.mem_write(self._word(block + 4), data)
        return wanted - len(data)

    def _exit(self, block: int) -> int:
        self.exit_status = self._word(block + 4)
        return 0
