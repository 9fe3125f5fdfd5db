"""The options of a compilation, their values and defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TypedDict

from tinycompile.board import Board
from tinycompile.errors import Problem, UsageError
from tinycompile.plan import InputMode

OPTIMIZE = ("speed", "balanced", "ram", "flash")
IO = ("model", "quantized")
INPUT_MODES = tuple(mode.value for mode in InputMode)


class ModelOptions(TypedDict, total=False):
    """The options of `prepare`, which all plans of a model share; see `compile_model`."""

    board: str | Board
    io: str
    input_mode: str
    plugins: Sequence[str | Path]


class CompileOptions(ModelOptions, total=False):
    """The options of `compile_model` that every command has which compiles; see there."""

    optimize: str
    ram_limit: int | None
    flash_limit: int | None
    recompute: float


@dataclass(frozen=True)
class Settings:
    """The options by which a prepared model is planned; see `compile_model`."""

    optimize: str = "speed"
    ram_limit: int | None = None
    flash_limit: int | None = None
    recompute: float = 0.0

    def check(self) -> None:
        """Refuse values that an option does not have.

        Raises:
            UsageError: one is not allowed.
        """
        check_choice("optimize", self.optimize, OPTIMIZE)
        for option, limit in (("--ram-limit", self.ram_limit), ("--flash-limit", self.flash_limit)):
            if limit is not None and limit <= 0:
                raise UsageError(Problem(option, f"{limit} bytes hold no model"))
        if not 0 <= self.recompute < inf:
            raise UsageError(Problem("--recompute", f"{self.recompute} percent are no extra work"))

    @property
    def limits(self) -> Mapping[str, int]:
        """The limits that were given."""
        both = {"ram_limit": self.ram_limit, "flash_limit": self.flash_limit}
        return {name: limit for name, limit in both.items() if limit is not None}


def check_choice(option: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse a value that an option does not have."""
    if value not in allowed:
        raise UsageError(Problem(option, f"there is no {value!r}", f"there are: {', '.join(allowed)}"))
