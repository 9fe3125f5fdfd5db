"""Whether a program fits the memory of its board and the limits of its user; what would help when it does not."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tinycompile.board import Board
from tinycompile.errors import FitError, Problem
from tinycompile.program import Program


@dataclass(frozen=True)
class Alternative:
    """Options that need less RAM: how they are written on the command line, and arena and state with them in bytes."""

    options: str
    ram_bytes: int


def check_fit(
    program: Program, board: Board, ram_limit: int | None, alternatives: Callable[[], Iterable[Alternative]]
) -> None:
    """Refuse a program that needs more memory than there is, before anything is written.

    `alternatives` makes other plans; it is only called when arena and state do not fit.

    Raises:
        FitError: by how much each limit is missed, and what would help.
    """
    ram_bytes = program.arena_bytes + program.state_bytes
    limits = [(f"board {board.name} has", board.ram_bytes), ("--ram-limit is", ram_limit)]
    problems = []
    exceeded = [(limit, name) for name, limit in limits if limit is not None and ram_bytes > limit]
    if exceeded:
        limit, name = min(exceeded)
        found = f"arena and state take {ram_bytes:,} bytes of RAM" + (" at least" if ram_limit else "")
        advice = _advice([a for a in alternatives() if a.ram_bytes < ram_bytes], limit)
        problems.append(_problem(program.name, found, name, ram_bytes, limit, advice))
    if board.flash_bytes is not None and program.weights_bytes > board.flash_bytes:
        found = f"weights take {program.weights_bytes:,} bytes of flash"
        advice = "choose a larger board or a smaller model"
        problems.append(
            _problem(
                program.name,
                found,
                f"board {board.name} has",
                program.weights_bytes,
                board.flash_bytes,
                advice,
            )
        )
    if problems:
        raise FitError(problems)


def _problem(place: str, found: str, name: str, needed: int, limit: int, advice: str) -> Problem:
    return Problem(place, found, f"{name} {limit:,}", f"it misses by {needed - limit:,} bytes; {advice}")


def _advice(smaller: Sequence[Alternative], limit: int) -> str:
    """The alternatives that fit; else the one that comes nearest."""
    larger = "choose a larger board or a smaller model"
    if not smaller:
        return larger
    fitting = [f"{a.options} fits with {a.ram_bytes:,}" for a in smaller if a.ram_bytes <= limit]
    if fitting:
        return ", ".join(fitting)
    nearest = min(smaller, key=lambda a: a.ram_bytes)
    return f"{nearest.options} takes {nearest.ram_bytes:,}, which does not suffice; {larger}"
