"""Runs programs: time limits, and a ToolError that shows the end of what the program said."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinycompile.errors import Problem, ToolError

_TAIL_LINES = 20

PACKAGES: Mapping[str, str] = {
    "cc": "apt-get install gcc libc6-dev",
    "arm-none-eabi-gcc": "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "qemu-system-arm": "apt-get install qemu-system-arm",
    "llvm-mca": "apt-get install llvm",
    "cmake": "pip install cmake",
    "ninja": "apt-get install ninja-build",
    "make": "apt-get install make",
}
"""Program -> the command that installs it on Debian."""


@dataclass(frozen=True)
class Completed:
    """What a program left: standard output, and standard output and error together."""

    stdout: str
    log: str


def find_program(name: str) -> Path | None:
    """Where a program is: beside the Python interpreter first (PyPI packages such as cmake), then in PATH."""
    beside = os.pathsep.join([str(Path(sys.executable).parent), sysconfig.get_path("scripts")])
    found = shutil.which(name, path=beside) or shutil.which(name)
    return Path(found) if found else None


def require_program(name: str) -> Path:
    """Where a program is. Raises ToolError with the command that installs it."""
    found = find_program(name)
    if found is None:
        action = f"install it: {PACKAGES[name]}" if name in PACKAGES else "install it"
        raise ToolError(Problem(name, "it is not in PATH", action=action))
    return found


def run(
    command: Sequence[str | Path],
    *,
    task: str,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout_seconds: float = 600.0,
    check: bool = True,
) -> Completed:
    """Run a program to its end.

    `task` says in a message what the program was to do. Raises ToolError when it cannot be started, takes longer than the limit,
    or (with `check`) ends with another status than 0.
    """
    program = Path(command[0]).name
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            Problem(
                task,
                f"{program} did not end within {timeout_seconds:g} s",
                action="give it more time, or fewer samples",
            )
        ) from error
    except OSError as error:
        raise ToolError(Problem(task, f"{program} cannot be started ({error.strerror})")) from error
    log = done.stdout + done.stderr
    if check and done.returncode != 0:
        raise ToolError(Problem(task, f"{program} {_ending(done.returncode)}\n{tail(log)}"))
    return Completed(done.stdout, log)


def tail(text: str) -> str:
    """The last lines of a program's output, indented."""
    lines = [line for line in text.splitlines() if line.strip()][-_TAIL_LINES:]
    return "\n".join(f"    {line}" for line in lines)


def _ending(returncode: int) -> str:
    return f"was killed by signal {-returncode}" if returncode < 0 else f"ended with status {returncode}"
