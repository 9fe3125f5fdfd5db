"""Boards are data: `boards/NAME.toml`, read into a frozen dataclass that says at once everything that is wrong with a file.

A file may inherit from one in `boards/` or `boards/families/`; its own keys win, tables are merged key by key. Files in
`families/` are no boards themselves and need not be complete.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from tinycompile.errors import Problem, UsageError
from tinycompile.resources import boards_dir

CYCLE_MODELS = ("cortex-m7", "cortex-m4")
"""Static cost models that modelled cycles can be computed with."""

TIMERS = ("cmsdk", "sse")
"""Timers that the measuring firmware can read: CMSDK APB timer (counts down), SSE-300 system counter (counts up)."""


@dataclass(frozen=True)
class Emulator:
    """How QEMU stands in for the board, and which of its timers measures instructions."""

    machine: str
    linker_script: str
    """File in `boards/firmware/`."""
    timer: str
    timer_address: int
    timer_hz: int


@dataclass(frozen=True)
class Board:
    """A target: processor, memory, compiler, and how it is emulated and measured."""

    name: str
    description: str
    cpu: str
    """`cortex-m7`, ..., or `host`."""
    compiler: str
    """Program that compiles for the board."""
    cflags: tuple[str, ...]
    """Flags of the generated code; they are written into its CMakeLists.txt."""
    arch_flags: tuple[str, ...] = ()
    """Flags that choose the processor; the project that uses the generated code has to give them to all of its files."""
    dsp: bool = False
    """The processor has the DSP extension (SMLAD, SXTB16, ...)."""
    fpu: bool = False
    """The processor computes float32 in hardware."""
    issue_width: int = 1
    """Instructions that the processor issues in a cycle; with one, words are loaded several at a time where kernels can."""
    unaligned_access: bool = False
    """LDR and STR may be unaligned."""
    ram_bytes: int | None = None
    """None: without limit."""
    flash_bytes: int | None = None
    """None: without limit."""
    cycle_model: str | None = None
    """One of CYCLE_MODELS; None: cycles are not modelled."""
    emulator: Emulator | None = None
    """None: programs run on this computer."""

    @property
    def is_host(self) -> bool:
        """True when programs for the board run on this computer."""
        return self.emulator is None


def board_names() -> tuple[str, ...]:
    """Names of the boards there are, sorted."""
    return tuple(sorted(path.stem for path in boards_dir().glob("*.toml")))


def load_board(name: str) -> Board:
    """Read a board by name.

    Raises UsageError when there is none of that name, and when its file has unknown or missing keys or values of wrong types.
    """
    if name not in board_names():
        known = ", ".join(board_names())
        raise UsageError(Problem(f"board {name!r}", "there is no such board", f"there are: {known}"))
    return parse_board(name, _read(boards_dir() / f"{name}.toml"))


def parse_board(name: str, values: Mapping[str, Any]) -> Board:
    """A board out of the merged keys of its file. Raises UsageError with everything that is wrong."""
    place = f"boards/{name}.toml"
    values = {**values, "name": name}
    emulator = values.pop("emulator", None)
    problems = _problems(place, Board, values) + _emulator_problems(place, emulator)
    problems += _choice(place, "cycle_model", values.get("cycle_model"), CYCLE_MODELS)
    if problems:
        raise UsageError(problems)
    frozen: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
    return Board(**frozen, emulator=Emulator(**emulator) if emulator is not None else None)


def _emulator_problems(place: str, emulator: object) -> list[Problem]:
    if emulator is None:
        return []
    if not isinstance(emulator, dict):
        return [Problem(place, "emulator is no table", f"keys of [emulator]: {_allowed(Emulator)}")]
    place = f"{place} [emulator]"
    return _problems(place, Emulator, emulator) + _choice(place, "timer", emulator.get("timer"), TIMERS)


def _read(path: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Keys of a file merged over those that it inherits."""
    if path in seen:
        raise UsageError(Problem(_place(path), "inherits from itself"))
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(Problem(_place(path), str(error))) from error
    parent = own.pop("inherits", None)
    if parent is None:
        return own
    return _merge(_read(_find(str(parent), path), (*seen, path)), own)


def _find(parent: str, heir: Path) -> Path:
    candidates = [boards_dir() / f"{parent}.toml", boards_dir() / "families" / f"{parent}.toml"]
    for path in candidates:
        if path.is_file():
            return path
    known = sorted(path.stem for path in boards_dir().rglob("*.toml"))
    raise UsageError(
        Problem(
            _place(heir), f"inherits from {parent!r}, which does not exist", f"there are: {', '.join(known)}"
        )
    )


def _merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        both_tables = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _merge(base[key], value) if both_tables else value
    return merged


def _problems(place: str, kind: type[Board] | type[Emulator], values: Mapping[str, Any]) -> list[Problem]:
    """Unknown keys, missing keys and wrong types, against the fields of a dataclass."""
    known = {field.name: field for field in fields(kind)}
    problems = [
        Problem(place, f"unknown key {key!r}", f"allowed: {_allowed(kind)}")
        for key in values
        if key not in known
    ]
    for name, field in known.items():
        if name not in values and field.default is MISSING:
            problems.append(Problem(place, f"key {name!r} is missing", f"it is {_type_name(field.type)}"))
        if name in values and not _fits(values[name], field.type):
            problems.append(
                Problem(place, f"{name} is {values[name]!r}", f"it must be {_type_name(field.type)}")
            )
    return problems


_TYPES: Mapping[Any, str] = {
    str: "a string",
    bool: "true or false",
    int: "a positive integer",
    int | None: "a positive integer",
    str | None: "a string",
    tuple[str, ...]: "a list of strings",
}


def _type_name(declared: Any) -> str:
    return _TYPES.get(declared, "a table")


def _fits(value: object, declared: Any) -> bool:
    """True when a TOML value has the type that a field declares; a bool is no integer."""
    if declared is bool:
        return isinstance(value, bool)
    if declared in (int, int | None):
        return isinstance(value, int) and not isinstance(value, bool) and value > 0
    if declared in (str, str | None):
        return isinstance(value, str)
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _choice(place: str, key: str, value: object, allowed: tuple[str, ...]) -> list[Problem]:
    if value is None or value in allowed:
        return []
    return [Problem(place, f"{key} is {value!r}", f"it must be one of: {', '.join(allowed)}")]


def _allowed(kind: type[Board] | type[Emulator]) -> str:
    return ", ".join(field.name for field in fields(kind) if field.name != "name")


def _place(path: Path) -> str:
    return f"boards/{path.relative_to(boards_dir()).as_posix()}"
