"""Whether a program fits the memory of its board and the limits of its user; what would help when it does not."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tinycompile.board import Board
from tinycompile.errors import FitError, Problem

LARGER = "choose a larger board or a smaller model"


@dataclass(frozen=True)
class Alternative:
    """Options that need less RAM: how they are written on the command line, and arena and state with them in bytes."""

    options: str
    ram_bytes: int


@dataclass(frozen=True)
class Need:
    """Memory that something generated needs: arena and state, constants in flash."""

    name: str
    ram_bytes: int
    flash_bytes: int


def check_fit(
    need: Need, board: Board, ram_limit: int | None, alternatives: Callable[[], Iterable[Alternative]]
) -> None:
    """Refuse what needs more memory than there is, before anything is written.

    `alternatives` makes other plans; it is only called when arena and state do not fit.

    Raises:
        FitError: by how much each limit is missed, and what would help.
    """
    limits = [(f"board {board.name} has", board.ram_bytes), ("--ram-limit is", ram_limit)]
    exceeded = [(limit, name) for name, limit in limits if limit is not None and need.ram_bytes > limit]
    problems = []
    if exceeded:
        limit, name = min(exceeded)
        found = f"arena and state take {need.ram_bytes:,} bytes of RAM" + (" at least" if ram_limit else "")
        advice = _advice([a for a in alternatives() if a.ram_bytes < need.ram_bytes], limit)
        problems.append(_problem(need.name, found, name, need.ram_bytes, limit, advice))
    if board.flash_bytes is not None and need.flash_bytes > board.flash_bytes:
        found, name = f"weights take {need.flash_bytes:,} bytes of flash", f"board {board.name} has"
        problems.append(_problem(need.name, found, name, need.flash_bytes, board.flash_bytes, LARGER))
    if problems:
        raise FitError(problems)


def _problem(place: str, found: str, name: str, needed: int, limit: int, advice: str) -> Problem:
    return Problem(place, found, f"{name} {limit:,}", f"it misses by {needed - limit:,} bytes; {advice}")


def _advice(smaller: Sequence[Alternative], limit: int) -> str:
    """The alternatives that fit; else the one that comes nearest."""
    if not smaller:
        return LARGER
    fitting = [f"{a.options} fits with {a.ram_bytes:,}" for a in smaller if a.ram_bytes <= limit]
    if fitting:
        return ", ".join(fitting)
    nearest = min(smaller, key=lambda a: a.ram_bytes)
    return f"{nearest.options} takes {nearest.ram_bytes:,}, which does not suffice; {LARGER}"
