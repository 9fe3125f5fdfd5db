"""Whether a program fits the memory of its board and the limits of its user; what would help when it does not."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    """Memory that something generated needs: arena and state; code (estimated) and weights in flash."""

    name: str
    ram_bytes: int
    flash_bytes: int


def check_fit(
    need: Need, board: Board, limits: Mapping[str, int], alternatives: Callable[[], Iterable[Alternative]]
) -> None:
    """Refuse what needs more memory than there is, before anything is written.

    `limits` are those of the user, `ram_limit` and `flash_limit`. `alternatives` makes other plans; it is only called when arena
    and state do not fit. Kernels have been chosen for the flash there is, so that no others take less.

    Raises:
        FitError: by how much each limit is missed, and what would help.
    """
    problems = []
    exceeded = _exceeded(need.ram_bytes, board, board.ram_bytes, "--ram-limit", limits.get("ram_limit"))
    if exceeded:
        limit, name = exceeded
        least = " at least" if "ram_limit" in limits else ""
        advice = _advice([a for a in alternatives() if a.ram_bytes < need.ram_bytes], limit)
        found = f"arena and state take {need.ram_bytes:,} bytes of RAM{least}"
        problems.append(_problem(need.name, found, name, need.ram_bytes, limit, advice))
    exceeded = _exceeded(
        need.flash_bytes, board, board.flash_bytes, "--flash-limit", limits.get("flash_limit")
    )
    if exceeded:
        limit, name = exceeded
        found = f"code and weights take {need.flash_bytes:,} bytes of flash at least"
        advice = _flash_advice(need, board, name)
        problems.append(_problem(need.name, found, name, need.flash_bytes, limit, advice))
    if problems:
        raise FitError(problems)


def _exceeded(
    needed: int, board: Board, of_board: int | None, option: str, of_user: int | None
) -> tuple[int, str] | None:
    """The smallest limit that is exceeded, and whose it is."""
    limits = [(of_board, f"board {board.name} has"), (of_user, f"{option} is")]
    return min(
        ((limit, name) for limit, name in limits if limit is not None and needed > limit), default=None
    )


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


def _flash_advice(need: Need, board: Board, name: str) -> str:
    """A limit that can be kept, if the board has so much."""
    if name.startswith("--") and (board.flash_bytes is None or need.flash_bytes <= board.flash_bytes):
        return f"--flash-limit {need.flash_bytes} fits, or choose a smaller model"
    return LARGER
