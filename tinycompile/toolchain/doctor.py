"""Which tools are there, which are missing, and the command that installs them."""

import importlib.metadata
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinycompile.errors import ToolError
from tinycompile.oracles import ORACLES
from tinycompile.toolchain.oracle import available_oracles
from tinycompile.toolchain.process import PACKAGES, find_program, run

_PROGRAMS: Sequence[tuple[str, str]] = (
    ("cmake", "builds the generated code"),
    ("cc", "compiles for this computer"),
    ("arm-none-eabi-gcc", "compiles for Arm boards"),
    ("qemu-system-arm", "emulates Arm boards"),
    ("llvm-mca", "models Cortex-M7 cycles"),
)
_MODULES: Sequence[tuple[str, str]] = (
    ("unicorn", "counts basic blocks"),
    ("capstone", "disassembles them"),
    ("pyelftools", "reads linked firmware"),
)
_BUILDERS = ("ninja", "make")
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)*")


@dataclass(frozen=True)
class Tool:
    """A program or Python package that verify and bench use."""

    name: str
    purpose: str
    found: bool
    version: str = ""
    path: str = ""
    install: str = ""
    """The command that installs it."""
    required: bool = True
    """False: something else that is there does the same."""


def check_tools() -> tuple[Tool, ...]:
    """All tools with what was found. Of the build programs and of the oracles one each is enough."""
    programs = [_program(name, purpose) for name, purpose in _PROGRAMS]
    builders_missing = all(find_program(name) is None for name in _BUILDERS)
    builders = [
        _program(name, "runs the compilers for CMake", builders_missing and name == "make")
        for name in _BUILDERS
    ]
    modules = [_module(name, purpose) for name, purpose in _MODULES]
    oracle_missing = not available_oracles()
    oracles = [
        _module(oracle.distribution, f"oracle {name}", required=oracle_missing and rank == 0)
        for rank, (name, oracle) in enumerate(ORACLES.items())
    ]
    return (*programs, *builders, *modules, *oracles)


def _program(name: str, purpose: str, required: bool = True) -> Tool:
    path = find_program(name)
    install = PACKAGES[name]
    if path is None:
        return Tool(name, purpose, False, install=install, required=required)
    try:
        log = run(
            [path, "--version"], task=f"asking {name} for its version", timeout_seconds=20, check=False
        ).log
    except ToolError:
        log = ""
    version = _VERSION.search(log)
    return Tool(name, purpose, True, version.group() if version else "", str(path), install, required)


def _module(distribution: str, purpose: str, required: bool = True) -> Tool:
    install = f"pip install {distribution}"
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return Tool(distribution, purpose, False, install=install, required=required)
    return Tool(distribution, purpose, True, version, install=install, required=required)
